import { expect, test } from 'vitest'
import { createRetries } from '../../gateway/state/retryBudget.ts'

function retriesAt(random: number) {
  const slept: number[] = []
  const retries = createRetries({
    now: () => 1_000,
    random: () => random,
    sleep: async (ms) => void slept.push(ms),
  })
  return { retries, slept, enter: (count: number) => Array.from({ length: count }, () => retries.enter('a')) }
}

test('pauses are spread over the whole of a span that doubles, up to 250 ms', () => {
  for (const [random, expected] of [
    [0, [0, 0, 0, 0, 0]],
    [0.5, [12.5, 37.5, 87.5, 125, 125]],
  ] as const) {
    const { retries, slept } = retriesAt(random)
    const entered = retries.enter('a')
    for (const nth of [1, 2, 3, 4, 5]) void entered.again(nth, undefined)
    expect(slept).toEqual(expected)
  }
})

test('three may try again however few are under way, and a fifth of many', () => {
  for (const [active, most] of [
    [1, 1],
    [10, 3],
    [15, 3],
    [16, 4],
    [100, 20],
  ] as const) {
    const { enter } = retriesAt(0)
    const entered = enter(active)
    expect(entered.filter((attempts) => attempts.again(1, undefined) !== undefined).length).toBe(most)
  }
})

test('one that tries again a second time has its place; who leaves gives it back, once', () => {
  const { enter } = retriesAt(0)
  const [a, b, c, d] = enter(4)
  for (const attempts of [a, b, c]) expect(attempts?.again(1, undefined)).toBeDefined()
  expect(a?.again(2, undefined)).toBeDefined()
  expect(d?.again(1, undefined)).toBeUndefined()
  a?.leave()
  a?.leave()
  expect(d?.again(1, undefined)).toBeDefined()
  expect(enter(1)[0]?.again(1, undefined)).toBeUndefined()
})

test('one upstream’s are not another’s', () => {
  const { retries, enter } = retriesAt(0)
  for (const attempts of enter(3)) void attempts.again(1, undefined)
  expect(retries.enter('b').again(1, undefined)).toBeDefined()
})

test('there is no pause that would end at the deadline or after it', () => {
  const { retries } = retriesAt(0.5)
  const entered = retries.enter('a')
  expect(entered.again(1, 1_012.5)).toBeUndefined()
  expect(entered.again(1, 1_012.6)).toBeDefined()
})
