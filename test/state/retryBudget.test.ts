// How many may be sent again at a time, and after which pauses.
import { expect, test } from 'vitest'
import type { Role } from '../../gateway/model.ts'
import { createRetries } from '../../gateway/state/retryBudget.ts'
import { upstreamAt } from '../ops/world.ts'

function retriesAt(random: number) {
  const slept: number[] = []
  const retries = createRetries({
    now: () => 1_000,
    random: () => random,
    sleep: async (ms) => void slept.push(ms),
  })
  const enter = (count: number) => Array.from({ length: count }, () => retries.enter('a'))
  const send = (count: number, role: Role = 'primary') => {
    for (let i = 0; i < count; i++) retries.sent({ upstream: upstreamAt('a'), role })
  }
  return { retries, slept, enter, send }
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
    const { retries, enter, send } = retriesAt(0)
    const entered = enter(active)
    send(active)
    const mayGoAgain = entered.filter((attempts) => {
      retries.ended({ upstream: 'a', role: 'primary' })
      return attempts.again(1, undefined) !== undefined
    })
    expect(mayGoAgain.length).toBe(most)
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

test('all that is under way there counts, by whichever route, but what is only asked to be compared', () => {
  const { enter, send, retries } = retriesAt(0)
  send(29, 'fallback')
  send(100, 'shadow')
  send(100, 'noise')
  const entered = enter(10)
  const mayGoAgain = () => entered.filter((attempts) => attempts.again(1, undefined) !== undefined).length
  // The pauses of those that may count too.
  expect(mayGoAgain()).toBe(8)
  for (const attempts of entered) attempts.leave()
  for (let i = 0; i < 29; i++) retries.ended({ upstream: 'a', role: 'fallback' })
  expect(mayGoAgain()).toBe(3)
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
