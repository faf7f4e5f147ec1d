// How long nobody is asked behind clients after it was in vain.
import { expect, test } from 'vitest'
import { Rests } from '../../gateway/state/caching/rests.ts'

function restsAt() {
  let now = 0
  const rests = new Rests(() => now)
  /** How long it rests, to the half second. */
  const lasts = (key: string) => {
    const from = now
    while (rests.has(key)) now += 500
    return now - from
  }
  return { rests, lasts }
}

test('after each failure in a row it is twice as long, half a minute at most', () => {
  const { rests, lasts } = restsAt()
  const all = Array.from({ length: 7 }, () => {
    rests.ended('a', false)
    return lasts('a')
  })
  expect(all).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
})

test('once it went well the next failure is the first one, and another key is another matter', () => {
  const { rests, lasts } = restsAt()
  for (let i = 0; i < 3; i++) rests.ended('a', false)
  expect([rests.has('a'), rests.has('b')]).toEqual([true, false])
  rests.ended('a', true)
  expect(rests.has('a')).toBe(false)
  rests.ended('a', false)
  expect(lasts('a')).toBe(1_000)
})

test('no more than ten thousand keys are remembered', () => {
  const { rests } = restsAt()
  for (let i = 0; i <= 10_000; i++) rests.ended(`key ${i}`, false)
  expect([rests.has('key 0'), rests.has('key 1'), rests.has('key 10000')]).toEqual([false, true, true])
})
