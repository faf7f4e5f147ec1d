// What an operator sees of a value.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonObject } from '../../gateway/comparing/jsonValue.ts'
import { createShow } from '../../gateway/comparing/redact.ts'
import { compareJson, show } from './answers.ts'

test.each([
  [undefined, /^nothing$/],
  [null, /^null$/],
  [true, /^true$/],
  ['secret', /^string\(6\) #[0-9a-f]{8}$/],
  [42, /^integer #[0-9a-f]{8}$/],
  [42n, /^integer #[0-9a-f]{8}$/],
  [4.2, /^number #[0-9a-f]{8}$/],
  [Buffer.from('secret'), /^bytes\(6\) #[0-9a-f]{8}$/],
  [[1, 2], /^array\(2\)$/],
  [new JsonObject(new Map([['secret', 1]])), /^object\(1\)$/],
])('%s is shown by its type', (value, shown) => expect(show(value)).toMatch(shown))

test('equal values are seen to be equal, also across types, and under another key they are not', () => {
  const hashOf = (shown: string) => shown.split('#')[1]
  expect(show('secret')).toBe(show('secret'))
  expect(show('secret')).not.toBe(show('secreu'))
  expect(hashOf(show('42'))).toBe(hashOf(show(42)))
  expect(hashOf(createShow(Buffer.from('another'))('secret'))).not.toBe(hashOf(show('secret')))
})

test('no text or number of a body is in its comparison', () => {
  const secret = fc.stringMatching(/^[a-z]{9}[XYZ]{4}$/)
  fc.assert(
    fc.property(secret, secret, fc.integer({ min: 1e11, max: Number.MAX_SAFE_INTEGER }), (one, two, number) => {
      const said = JSON.stringify([
        compareJson(JSON.stringify({ a: one, b: [one], c: number }), JSON.stringify({ a: two, b: [two, one], c: one })),
        compareJson(one, two),
        compareJson(JSON.stringify({ [`${one}@example.com`]: 1 }), '{}'),
      ])
      for (const value of [one, two, String(number)]) expect(said).not.toContain(value)
    }),
  )
})
