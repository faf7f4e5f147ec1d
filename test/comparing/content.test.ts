// Bodies that are no JSON, or are packed, and all that is compared beside the body.
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { compare } from '../../gateway/comparing/compare.ts'
import { decodeBody, mostBodyBytes } from '../../gateway/comparing/decode.ts'
import { answer, differencesOf, rules, show } from './answers.ts'

const text = Buffer.from('{"a":1}'.padEnd(1000))

describe('a packed body', () => {
  test.each([
    ['gzip', gzipSync(text)],
    ['X-GZIP', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['gzip, identity, br', brotliCompressSync(gzipSync(text))],
    ['identity', text],
    ['', text],
  ])('in %s is unpacked', (coding, body) => expect(Buffer.from(decodeBody(body, coding) as Uint8Array)).toEqual(text))

  test.each([
    ['gzip', text],
    ['br', text],
    ['zstd', text],
    ['compress', text],
    ['__proto__', text],
    ['gzip', gzipSync(text).subarray(0, 20)],
    ['gzip, gzip, gzip, gzip', text],
  ])('that is not in its %s is broken', (coding, body) => expect(decodeBody(body, coding)).toBe('broken'))

  test('without a byte is empty, as after HEAD', () => {
    expect(decodeBody(new Uint8Array(0), 'gzip')).toHaveLength(0)
  })

  const bomb = Buffer.alloc(64 * 1024 * 1024)
  test.each([
    ['gzip', gzipSync(bomb)],
    ['deflate', deflateSync(bomb)],
    ['br', brotliCompressSync(bomb)],
    ['zstd', zstdCompressSync(bomb)],
    ['gzip, gzip', gzipSync(gzipSync(bomb))],
  ])('that is a bomb in %s stops at the bound', (coding, body) => {
    expect(body.length).toBeLessThan(mostBodyBytes)
    const before = process.memoryUsage()
    expect(decodeBody(body, coding)).toBe('tooLarge')
    const after = process.memoryUsage()
    expect(after.external + after.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(bomb.length / 4)
  })

  test('is too large beyond the bound, not at it', () => {
    expect(decodeBody(gzipSync(Buffer.alloc(mostBodyBytes)), 'gzip')).toHaveLength(mostBodyBytes)
    expect(decodeBody(gzipSync(Buffer.alloc(mostBodyBytes + 1)), 'gzip')).toBe('tooLarge')
    expect(decodeBody(Buffer.alloc(mostBodyBytes + 1), '')).toBe('tooLarge')
  })

  test('is the same as the same body unpacked', () => {
    const packed = answer(gzipSync(text), 'application/json', 'content-ENCODING', 'gzip')
    expect(compare(answer(text), packed, rules(), show)).toMatchObject({ same: true, isBodyCompared: true })
    const broken = answer(text, 'application/json', 'Content-Encoding', 'br')
    expect(differencesOf(compare(answer(text), broken, rules(), show))).toEqual(['type body x1'])
    expect(compare(broken, broken, rules(), show)).toMatchObject({ same: true, isBodyCompared: false })
  })
})

describe('markup and text', () => {
  test.each([
    ['text/html', '<p>a b</p>', '<p>\n  a\tb\n</p>\n<!-- made in 12 ms -->'],
    ['text/html', '<!-- <p> --><br  class="x">', '<br class="x"> <!-- a > b --'],
    ['application/atom+xml', '<a> <b/></a>', '<a><b/>\r\n</a>'],
    ['text/plain', 'a\r\n\r\nb  c', 'a\nb c\n'],
    ['text/html; charset=iso-8859-1', Buffer.from('<p>é</p>', 'latin1'), Buffer.from('<p>é</p>', 'latin1')],
    ['image/png', Buffer.of(0, 1), Buffer.of(0, 1)],
  ])('of %s: %s and %s are the same', (type, old, candidate) => {
    expect(compare(answer(old, type), answer(candidate, type), rules(), show)).toMatchObject({ same: true })
  })

  test.each([
    ['text/html', '<p>a</p>\n<p>b</p>', '<p>a</p>\n<p>c</p>', 'value body @ body:2 x1'],
    ['text/html', '<ul>\n<li>a</li>\n</ul>', '<ul>\n</ul>', 'length body @ body:2 x1'],
    ['text/html', '<p>a</p>', '<p>a</p><p>b</p>', 'length body @ body:2 x1'],
    ['text/html', '<input type=hidden value=1>', '<input type=hidden value=2>', 'value body @ body:1 x1'],
    ['text/plain', 'a\n\nb', 'a\n\nc', 'value body @ body:3 x1'],
    ['text/plain', 'a <!-- b -->', 'a', 'value body @ body:1 x1'],
    ['application/json', '{"a":1', '{"a":2', 'value body @ body:1 x1'],
    ['image/png', Buffer.of(0, 1), Buffer.of(0, 2), 'value body x1'],
    ['', Buffer.of(0, 1), Buffer.of(0, 2), 'value body x1'],
    ['text/html', Buffer.from('<p>é</p>', 'latin1'), Buffer.from('<p>è</p>', 'latin1'), 'value body @ body:1 x1'],
  ])('of %s: %s and %s differ', (type, old, candidate, expected) => {
    const comparison = compare(answer(old, type), answer(candidate, type), rules(), show)
    expect(differencesOf(comparison)).toEqual([expected])
    expect(compare(answer(old, type), answer(candidate, type), rules({ by: 'shape' }), show).same).toBe(true)
  })

  test('JSON is compared as JSON under whatever name, and text in any charset as text', () => {
    const html = (body: string) => answer(body, 'text/html')
    expect(differencesOf(compare(html('{"a":1,"b":2}'), html('{ "b":3, "a":1 }'), rules(), show))).toEqual([
      'value $.b x1',
    ])
    const [utf8, latin1] = [
      answer('é', 'text/plain'),
      answer(Buffer.from('é', 'latin1'), 'text/plain; charset="ISO-8859-1"'),
    ]
    expect(compare(utf8, latin1, rules(), show).same).toBe(true)
  })

  test.each(['<', '<!--', '<!-- -->', '&', '"', ' ', '<a '])('a body of nothing but %j is read once', (piece) => {
    const body = piece.repeat(mostBodyBytes / piece.length)
    const startedAt = process.cpuUsage().user
    compare(answer(body, 'text/html'), answer(`${body.slice(1)}x`, 'text/html'), rules(), show)
    expect(process.cpuUsage().user - startedAt).toBeLessThan(2_000_000)
  })
})

describe('beside the body', () => {
  const of = (status: number, fields: readonly string[] = [], body: 'none' | 'tooLarge' = 'none') => ({
    status,
    fields,
    body,
  })

  test('the status is compared, and bodies of another class of status are not', () => {
    const { differences, isBodyCompared } = compare(answer('{"a":1}'), { ...answer('x'), status: 500 }, rules(), show)
    expect(differences).toEqual([
      { path: 'status', at: 'status', kind: 'value', old: '200', candidate: '500', count: 1 },
    ])
    expect(isBodyCompared).toBe(false)
    expect(differencesOf(compare(answer('{"a":1}'), { ...answer('{"a":2}'), status: 201 }, rules(), show))).toEqual([
      'value status x1',
      'value $.a x1',
    ])
    expect(compare(answer('1'), answer('2'), rules({ by: 'status' }), show)).toMatchObject({
      same: true,
      isBodyCompared: false,
    })
  })

  test('the chosen fields are, by what they mean', () => {
    const fields = ['content-type', 'location', 'vary']
    const old = of(200, [
      'Content-Type',
      'text/html;charset=UTF-8',
      'Location',
      '/a',
      'X',
      '1',
      'vary',
      'a',
      'Vary',
      'b',
    ])
    const same = of(200, ['content-type', 'TEXT/html; charset="utf-8"', 'location', '/a ', 'X', '2', 'Vary', 'a, b'])
    expect(compare(old, same, rules({ fields }), show).same).toBe(true)
    const other = of(200, ['Location', '/A', 'Vary', 'a, b', 'Content-Type', 'text/plain'])
    expect(differencesOf(compare(old, other, rules({ fields }), show))).toEqual([
      'value field:content-type x1',
      'value field:location x1',
    ])
    expect(differencesOf(compare(old, of(200), rules({ fields: ['vary'] }), show))).toEqual(['missing field:vary x1'])
    expect(differencesOf(compare(of(200), old, rules({ fields: ['vary'] }), show))).toEqual(['extra field:vary x1'])
  })

  test('a body that nobody kept is compared with none, and with a short one is of another length', () => {
    const large = of(200, [], 'tooLarge')
    expect(compare(large, large, rules(), show)).toMatchObject({ same: true, isBodyCompared: false })
    expect(differencesOf(compare(large, answer('{}'), rules(), show))).toEqual(['length body x1'])
    expect(compare(of(204), { ...answer(''), status: 204 }, rules(), show)).toMatchObject({
      same: true,
      isBodyCompared: true,
    })
  })
})
