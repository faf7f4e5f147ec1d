import { describe, expect, test } from 'vitest'
import { cookieLine, cookieOf, setCookieName, setCookieOf, withoutCookie } from '../../gateway/message/cookies.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'

const now = Date.parse('2026-01-01T00:00:00Z')

describe('a cookie of a request', () => {
  const fields = fieldsOf(['Cookie', 'XSESSION=1; SESSION=2;SESSION=3', 'cookie', 'other=a=b'])
  test('is found by its whole name, the first of several', () => expect(cookieOf(fields, 'SESSION')).toBe('2'))
  test('is found in a later line, with all of its value', () => expect(cookieOf(fields, 'other')).toBe('a=b'))
  test('has a name in exact case', () => expect(cookieOf(fields, 'session')).toBeUndefined())
})

describe('without the cookies of one name', () => {
  test.each([
    ['NODE=1', undefined],
    ['NODE=1; a=1', 'a=1'],
    ['a=1; NODE=1', 'a=1'],
    ['a=1;NODE=1;  b = 2;;c', 'a=1;  b = 2;;c'],
    ['NODE=1; NODE=2', undefined],
    ['XNODE=1; NODEX=2; node=3; NODE', 'XNODE=1; NODEX=2; node=3; NODE'],
    [' a=NODE=1 ', ' a=NODE=1 '],
  ])('%j is %j, every other byte as it was', (line, left) => {
    const others = ['Host', 'h', 'COOKIE', 'NODE=9; z=1', 'cookie', line]
    expect(withoutCookie(fieldsOf(others), 'NODE').raw).toEqual([
      'Host',
      'h',
      'COOKIE',
      'z=1',
      ...(left === undefined ? [] : ['cookie', left]),
    ])
  })

  test('fields that have none are the same', () => {
    const fields = fieldsOf(['Cookie', 'a=1', 'X', 'NODE=1'])
    expect(withoutCookie(fields, 'NODE')).toBe(fields)
  })
})

describe('a Set-Cookie field', () => {
  test.each([
    ['SESSION=1; Path=/', 'SESSION'],
    [' SESSION =1', 'SESSION'],
    ['SESSIONX=1', 'SESSIONX'],
    ['\tSESSION\t=1', 'SESSION'],
    ['a; SESSION=1', 'a'],
  ])('%j sets %s', (field, name) => expect(setCookieName(field)).toBe(name))

  test.each([
    ['a=1', '1'],
    ['a="1"; HttpOnly', '"1"'],
    ['a=', ''],
    ['a=b=c', 'b=c'],
    ['a=1; Max-Age=60', '1'],
    ['a=1; max-age=0', undefined],
    ['a=1; Max-Age=-5', undefined],
    ['a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT', undefined],
    ['a=1; expires=Thu, 01 Jan 2099 00:00:00 GMT', '1'],
    ['a=1; Expires=nonsense', '1'],
    // RFC 6265 §5.3: Max-Age goes first, wherever it stands; of several the last counts.
    ['a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT', '1'],
    ['a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT; Max-Age=0', undefined],
    ['a=1; Max-Age=0; Max-Age=60', '1'],
    ['a=1; Max-Age = 0', undefined],
  ])('%j leaves %j', (field, value) => expect(setCookieOf(field, now)?.value).toBe(value))

  test('without a name sets nothing', () => {
    for (const field of ['', '=1', 'word', ' =1; Path=/']) expect(setCookieOf(field, now)).toBeUndefined()
  })

  test('says until when it holds', () => {
    expect(setCookieOf('a=1; Max-Age=60', now)?.expiresAt).toBe(now + 60_000)
    expect(setCookieOf('a=1', now)?.expiresAt).toBe(Number.POSITIVE_INFINITY)
  })
})

describe("a client's cookies overlaid with a jar", () => {
  test('keep their order, but for those that the jar has, or has forgotten', () => {
    const jar = new Map([
      ['b', 'new'],
      ['c', undefined],
      ['d', '4'],
    ])
    expect(cookieLine(['a=1; b=2', 'c=3;  e=5;'], jar)).toBe('a=1; e=5; b=new; d=4')
  })

  test('may be none', () => expect(cookieLine(['a=1'], new Map([['a', undefined]]))).toBe(''))
})
