import { expect, test } from 'vitest'
import {
  isNextDue,
  neededOf,
  type RingKey,
  type RingRules,
  signerOf,
  signsFromOf,
} from '../../gateway/identity/signingRing.ts'

const minute = 60_000
const hour = 60 * minute
const rules: RingRules = { rotateMs: 10 * hour, lifeMs: 5 * minute }

const key = (id: string, signsFromMs: number): RingKey => ({ id, signsFromMs })
const ids = (keys: readonly RingKey[]) => keys.map(({ id }) => id).join(' ')

test('the first key signs at once: nobody can have heard of another', () => {
  expect(isNextDue([], 0, rules)).toBe(true)
  expect(signerOf([], 0)).toBeUndefined()
  expect(signsFromOf([], 7, rules)).toBe(7)
})

test('the next one is published for ten minutes before it signs, or for half of what a key has', () => {
  expect(signsFromOf([key('a', 0)], hour, rules)).toBe(hour + 10 * minute)
  expect(signsFromOf([key('a', 0)], hour, { ...rules, rotateMs: 4 * minute })).toBe(hour + 2 * minute)
})

test('a key signs until the next one does', () => {
  const keys = [key('a', 0), key('b', 9 * hour)]
  expect(signerOf(keys, 9 * hour - 1)?.id).toBe('a')
  expect(signerOf(keys, 9 * hour)?.id).toBe('b')
})

test('the old one is kept until the last token that it has signed is dead by every clock', () => {
  const keys = [key('a', 0), key('b', 9 * hour)]
  expect(ids(neededOf(keys, 9 * hour + rules.lifeMs + minute - 1, rules))).toBe('a b')
  expect(ids(neededOf(keys, 9 * hour + rules.lifeMs + minute, rules))).toBe('b')
})

test('over a year there is always one that signs, known for ten minutes, each for ten hours, and never more than two', () => {
  const signed = new Map<string, number>()
  const madeAt = new Map<string, number>()
  let keys: readonly RingKey[] = []
  for (let nowMs = 0; nowMs < 365 * 24 * hour; nowMs += minute) {
    keys = neededOf(keys, nowMs, rules)
    if (isNextDue(keys, nowMs, rules)) {
      madeAt.set(`k${nowMs}`, nowMs)
      keys = [...keys, key(`k${nowMs}`, signsFromOf(keys, nowMs, rules))]
    }
    const signer = signerOf(keys, nowMs)
    const heardOfMs = nowMs - (madeAt.get(signer?.id ?? '') ?? nowMs)
    if (!signer || (signer.id !== 'k0' && heardOfMs < 10 * minute)) throw new Error(`unheard of at ${nowMs}`)
    if (keys.length > 2) throw new Error(`${ids(keys)} at ${nowMs}`)
    signed.set(signer.id, (signed.get(signer.id) ?? 0) + 1)
  }
  expect(new Set([...signed.values()].slice(0, -1))).toEqual(new Set([600]))
})

test('after a long stop the next one is made at once, and the old one signs until that is known', () => {
  const keys = [key('a', 0)]
  const nowMs = 100 * hour
  expect(isNextDue(keys, nowMs, rules)).toBe(true)
  const both = [...keys, key('b', signsFromOf(keys, nowMs, rules))]
  expect(signerOf(both, nowMs)?.id).toBe('a')
  expect(ids(neededOf(both, nowMs, rules))).toBe('a b')
})

test('a key that was made while the clock was years ahead does not put off the next one', () => {
  const keys = [key('a', 0), key('of another year', 9_000 * hour)]
  expect(isNextDue(keys, hour, rules)).toBe(true)
  const next = [...keys, key('b', signsFromOf(keys, hour, rules))]
  expect(isNextDue(next, hour, rules)).toBe(false)
  expect(signerOf(next, hour)?.id).toBe('a')
  expect(signerOf(next, 2 * hour)?.id).toBe('b')
})
