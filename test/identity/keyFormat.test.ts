// The form of keys: golden vectors, fair chance, and what is none.
import { describe, expect, test } from 'vitest'
import { findKeys, isKeyId, makeKey, parseKey } from '../../gateway/identity/keyFormat.ts'

/** Bytes 0, 1, 2 … again and again. */
function counting(): (bytes: number) => Uint8Array {
  let next = 0
  return (bytes) => Uint8Array.from({ length: bytes }, () => next++ % 256)
}

// Kept as they are: a scanner somewhere knows this form, and clients hold such keys.
const golden = [
  ['live', (count: number) => new Uint8Array(count), 'byn_live_00000000000000000000000000000044xHg9'],
  ['live', counting(), 'byn_live_0123456789ABCDEFGHIJKLMNOPQRST1e70o8'],
  ['test2', (count: number) => new Uint8Array(count).fill(247), 'byn_test2_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz2yfEnc'],
] as const

describe('a key', () => {
  test.each(golden)('of %s is made as it always was', (env, random, key) => {
    expect(makeKey(env, random)).toBe(key)
    expect(parseKey(key)).toEqual({ env, id: key.slice(0, `byn_${env}_`.length + 8) })
  })

  test('takes no byte that would make some characters likelier than others', () => {
    const bytes = [...Array(300).fill(255), ...Array(300).fill(248), ...Array(60).fill(1)]
    const key = makeKey('live', (count) => Uint8Array.from(bytes.splice(0, count)))
    expect(key.slice(9, 39)).toBe('1'.repeat(30))
  })

  test('is known by its checksum: no slip of one character passes, nor two that change places', () => {
    const key = makeKey('live', counting())
    for (let at = 0; at < key.length; at++) {
      for (const other of 'abz09AZ_- é') {
        const slipped = key.slice(0, at) + other + key.slice(at + 1)
        if (slipped !== key) expect(parseKey(slipped), slipped).toBeUndefined()
      }
      const swapped = key.slice(0, at) + (key[at + 1] ?? '') + key[at] + key.slice(at + 2)
      if (swapped !== key) expect(parseKey(swapped), swapped).toBeUndefined()
    }
  })

  test.each([
    '',
    'byn_live_',
    `${golden[0][2]}0`,
    ` ${golden[0][2]}`,
    `${golden[0][2]}\n`,
    golden[0][2].replace('live', 'LIVE'),
    golden[0][2].replace('live', 'a'.repeat(17)),
    golden[0][2].replace('byn', 'ghp'),
    'byn_'.repeat(100_000),
  ])('%j is none', (text) => expect(parseKey(text)).toBeUndefined())
})

describe('in a text', () => {
  const [key, other] = [golden[0][2], golden[2][2]]

  test('keys are found wherever they stand, each once, and names of keys are none', () => {
    const text = `curl -H "X-Api-Key: ${key}"\nKEY_${other};${key} byn_live_0000000 ${key.slice(0, -1)}!`
    expect(findKeys(text)).toEqual([key, other])
    expect(findKeys(`log of ${parseKey(key)?.id}`)).toEqual([])
  })

  test('a name is told from a key', () => {
    expect([isKeyId('byn_live_00000000'), isKeyId(key), isKeyId('byn_live_0000')]).toEqual([true, false, false])
  })
})
