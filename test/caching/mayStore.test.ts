// What may be stored, and whom it may be given to: RFC 9111 §3, §3.5, §4.1.
import { describe, expect, test } from 'vitest'
import { audienceOf } from '../../gateway/caching/audience.ts'
import { pick } from '../../gateway/caching/stored.ts'
import { fields, refused, stored } from './world.ts'

const fresh = 'Cache-Control: max-age=100'

describe('an answer is stored', () => {
  test.each([
    ['with a lifetime', [fresh]],
    ['that says no more than public, with a validator', ['Cache-Control: public', 'ETag: "a"']],
    ['that must be asked after each time', ['Cache-Control: no-cache', 'ETag: "a"']],
    ['that is silent, with a validator', ['Last-Modified: Sat, 21 Nov 2026 12:00:00 GMT']],
    ['that is stale at once and may be so', ['Cache-Control: max-age=0, stale-while-revalidate=5']],
    ['with must-understand and a status that we understand', [`${fresh}, must-understand`]],
    ['with fields in Vary', [fresh, 'Vary: Accept-Encoding, , accept-language']],
  ])('%s', (_, answered) => expect(refused({ answered })).toBeUndefined())

  test('of any status that its origin gives a lifetime but parts, 304 and failures of the server', () => {
    for (const status of [200, 201, 204, 301, 302, 307, 308, 400, 403, 404, 410, 418])
      expect(refused({ status, answered: [fresh] })).toBeUndefined()
    for (const status of [101, 206, 304, 500, 502, 503, 504])
      expect(refused({ status, answered: [fresh] }), `${status}`).toBe('status')
  })

  test('when it is an error that the route lists', () => {
    const negativeMs = new Map([
      [503, 1_000],
      [404, 1_000],
    ])
    expect(refused({ status: 404 })).toBe('useless')
    for (const status of [404, 503]) expect(refused({ status }, { negativeMs })).toBeUndefined()
  })
})

describe('an answer is not stored', () => {
  test.each([
    ['with no-store (§3)', ['Cache-Control: max-age=100, no-store'], 'forbidden'],
    ['with no-store in another case', ['Cache-Control: max-age=100, No-Store'], 'forbidden'],
    ['with private', ['Cache-Control: private, max-age=100'], 'forbidden'],
    ['with Private', ['Cache-Control: Private, max-age=100'], 'forbidden'],
    ['with private for some fields (§5.2.2.7)', ['Cache-Control: private="set-cookie", max-age=100'], 'forbidden'],
    ['with private although also public', ['Cache-Control: public, private, max-age=100'], 'forbidden'],
    ['with private behind a semicolon', ['Cache-Control: public;private, max-age=100'], 'forbidden'],
    ['with no-store in quotes that do not end', ['Cache-Control: max-age=100, x="no-store'], 'forbidden'],
    ['with no-store in a second field', [fresh, 'Cache-Control: no-store'], 'forbidden'],
    ['with a cookie', [fresh, 'Set-Cookie: a=b'], 'cookie'],
    ['with Vary: *', [fresh, 'Vary: *'], 'variesByAll'],
    ['with * among others', [fresh, 'Vary: accept, *'], 'variesByAll'],
    ['with * in a second field', [fresh, 'Vary: accept', 'Vary: *'], 'variesByAll'],
    ['with a Vary that cannot be read', [fresh, 'Vary: accept encoding'], 'variesByAll'],
    ['that is silent', [], 'useless'],
    ['that is stale at once', ['Cache-Control: max-age=0'], 'useless'],
    ['without an end', [fresh, 'Content-Type: text/event-stream; charset=utf-8'], 'endless'],
  ])('%s', (_, answered, why) => expect(refused({ answered })).toBe(why))

  test('with must-understand and a status that we do not (§5.2.2.3)', () => {
    expect(refused({ status: 299, answered: [`${fresh}, must-understand`] })).toBe('forbidden')
  })

  test('to another method than GET, or when the request says no-store (§5.2.1.5)', () => {
    for (const method of ['HEAD', 'POST', 'PUT', 'get']) expect(refused({ method, answered: [fresh] })).toBe('method')
    expect(refused({ answered: [fresh], asked: ['Cache-Control: no-store'] })).toBe('requestNoStore')
  })

  test('when somebody else than the upstream that was asked has made it', () => {
    expect(refused({ answered: [fresh], by: { by: 'gateway' } })).toBe('notFromUpstream')
    expect(refused({ answered: [fresh], by: { upstream: 'search' } })).toBe('notFromUpstream')
  })
})

describe('an answer to a request with credentials', () => {
  test.each([
    ['', 'somebodys'],
    [', public', undefined],
    [', PUBLIC', undefined],
    [', must-revalidate', undefined],
    [', s-maxage=5', undefined],
    [', s-maxage=x', 'somebodys'],
    [', proxy-revalidate', 'somebodys'],
    [', immutable', 'somebodys'],
    [', x="public"', 'somebodys'],
    ['; public', 'somebodys'],
    [', public;x', 'somebodys'],
  ])('is stored by RFC 9111 §3.5 alone: max-age=100%s', (said, why) => {
    expect(refused({ answered: [`Cache-Control: max-age=100${said}`], isAnybodys: false })).toBe(why)
  })

  test('is never stored for what the route says', () => {
    expect(refused({ isAnybodys: false }, { freshMs: 30_000 })).toBe('somebodys')
  })
})

describe('whose a request is', () => {
  const rules = { isPerIdentity: false, sessionCookie: 'SESSION' }
  const own = { ...rules, isPerIdentity: true }

  test("it is anybody's without credentials, and somebody's with any", () => {
    expect(audienceOf({ fields: fields('Cookie: theme=dark') }, rules)).toEqual({ isKnown: false, partition: '' })
    for (const line of ['Authorization: Basic x', 'X-API-Key: k', 'Cookie: theme=dark; SESSION=1'])
      expect(audienceOf({ fields: fields(line) }, rules)).toEqual({ isKnown: true, partition: '' })
  })

  test('where no session cookie is named each cookie may be one', () => {
    expect(audienceOf({ fields: fields('Cookie: theme=dark') }, { isPerIdentity: false }).isKnown).toBe(true)
  })

  test('per identity each has a partition of its own, those without credentials too, and none shows a credential', () => {
    const sets = [
      [],
      ['Authorization: a'],
      ['Authorization: b'],
      ['X-Api-Key: a'],
      ['Cookie: SESSION=a'],
      ['Authorization: a', 'Cookie: SESSION=a'],
      ['Authorization: a', 'Authorization: b'],
    ]
    const audiences = sets.map((lines) => audienceOf({ fields: fields(...lines) }, own))
    expect(new Set(audiences.map(({ partition }) => partition)).size).toBe(sets.length)
    expect(audiences.every(({ isKnown, partition }) => !isKnown && partition !== '')).toBe(true)
    expect(audienceOf({ fields: fields('Authorization: secret-token') }, own).partition).not.toContain('secret')
    expect(audienceOf({ fields: fields('Cookie: SESSION=a; x=1') }, own)).toEqual(
      audienceOf({ fields: fields('cookie: x=2; SESSION=a') }, own),
    )
  })
})

describe('an answer fits a request (§4.1)', () => {
  const answered = [fresh, 'Vary: Accept-Language, X-Theme']
  const asked = ['Accept-Language: de, en;q=0.5', 'X-Theme: dark']
  const fits = (...lines: string[]) => pick([stored({ answered, asked })], fields(...lines), false) !== undefined

  test('with the same values of the fields in its Vary', () => {
    expect(fits('x-theme: dark', 'accept-language: de, en;q=0.5', 'X-Other: 1')).toBe(true)
  })

  test('written otherwise, where that means the same', () => {
    expect(fits('Accept-Language: DE,EN; q=0.5', 'X-Theme: dark')).toBe(true)
    expect(fits('Accept-Language: de', 'Accept-Language: en;q=0.5', 'X-Theme: dark')).toBe(true)
    expect(fits('Accept-Language: de, en;q=0.5', 'X-Theme: Dark')).toBe(false)
  })

  test('not with another value, without one, or with an empty one', () => {
    expect(fits('Accept-Language: en', 'X-Theme: dark')).toBe(false)
    expect(fits('X-Theme: dark')).toBe(false)
    expect(fits('Accept-Language:', 'X-Theme: dark')).toBe(false)
    const bare = stored({ answered: [fresh, 'Vary: Accept'] })
    expect(pick([bare], fields(), false)).toBe(bare)
    expect(pick([bare], fields('Accept:'), false)).toBeUndefined()
  })

  test('with credentials only when it is for all', () => {
    const [anybodys, forAll] = [
      stored({ answered: [fresh] }),
      stored({ answered: [`${fresh}, public`], isAnybodys: false }),
    ]
    expect(pick([anybodys], fields(), true)).toBeUndefined()
    expect(pick([forAll], fields(), true)).toBe(forAll)
    expect(pick([forAll], fields(), false)).toBe(forAll)
    expect(pick([stored({ answered: [fresh], isAnybodys: false })], fields(), false)).toBeUndefined()
  })

  test('and the newest of several does', () => {
    const old = stored({ answered: [fresh] })
    const young = { ...old, receivedAtMs: old.receivedAtMs + 1 }
    expect(pick([old, young], fields(), false)).toBe(young)
    expect(pick([young, old], fields(), false)).toBe(young)
  })
})
