// The word of a named tester: good for one rollout, one side and a time, and only from who has the key.
import { describe, expect, test } from 'vitest'
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { Testers } from '../../gateway/model.ts'
import { chosenSide, signChoice } from '../../gateway/rollout/testers.ts'

const key = 'a secret of at least sixteen'
const noonMs = Date.UTC(2026, 10, 21, 12)
const word = signChoice(key, 'search', { name: 'ann', side: 'new', untilMs: noonMs })
const byField: Testers = { by: 'field', name: 'x-tester', key }
const byCookie: Testers = { by: 'cookie', name: 'tester', key }

function chosen(said: string, { rollout = 'search', wallMs = noonMs - 1 } = {}) {
  return chosenSide(fieldsOf(['X-Tester', said]), byField, rollout, wallMs)
}

test('a word chooses its side, in a field or in a cookie', () => {
  expect(chosen(word)).toBe('new')
  expect(chosen(signChoice(key, 'search', { name: 'ann', side: 'old', untilMs: noonMs }))).toBe('old')
  expect(chosenSide(fieldsOf(['Cookie', `a=b; tester=${word}`]), byCookie, 'search', noonMs - 1)).toBe('new')
  expect(chosenSide(fieldsOf(['Cookie', 'a=b']), byCookie, 'search', noonMs - 1)).toBeUndefined()
  expect(chosenSide(fieldsOf(['X-Tester', word]), byCookie, 'search', noonMs - 1)).toBeUndefined()
})

// Golden: words that are given out today are good after an upgrade.
test('a word is what it has always been', () => {
  expect(word).toBe('ann~new~1795262400~rUqUSgmU0c_PuMckIvn-eqVpF8MU2nRxJC0-eRakjJw')
})

test('a word may be carried in a cookie as it is (RFC 6265 §4.1.1)', () => {
  expect(word).toMatch(/^[!#-+\--:<-[\]-~]+$/)
})

describe('no side is chosen by', () => {
  const [name, side, seconds, signature = ''] = word.split('~')

  test.each([
    ['nothing', ''],
    ['a word without its signature', `${name}~${side}~${seconds}`],
    ['an empty signature', `${name}~${side}~${seconds}~`],
    ['another name', `bob~${side}~${seconds}~${signature}`],
    ['the other side', `${name}~old~${seconds}~${signature}`],
    ['a side that there is not', `${name}~both~${seconds}~${signature}`],
    ['a later end', `${name}~${side}~${Number(seconds) + 1}~${signature}`],
    ['an end that is no number', `${name}~${side}~1e12~${signature}`],
    ['a longer signature', `${word}A`],
    ['a signature that ends otherwise', `${word.slice(0, -5)}AAAAA`],
    ['parts that are shifted', `${name}~${side}~${seconds}~${seconds}~${signature}`],
    ['something around it', ` ${word} `],
  ])('%s', (_, said) => {
    expect(chosen(said)).toBeUndefined()
  })

  test('a word that is stale, from the very second on that it names', () => {
    expect(chosen(word, { wallMs: noonMs - 1 })).toBe('new')
    expect(chosen(word, { wallMs: noonMs })).toBeUndefined()
  })

  test("another rollout's word", () => {
    expect(chosen(word, { rollout: 'orders' })).toBeUndefined()
  })

  test('a word under another key', () => {
    expect(chosen(signChoice(`${key}!`, 'search', { name: 'ann', side: 'new', untilMs: noonMs }))).toBeUndefined()
  })
})
