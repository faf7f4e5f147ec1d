// When a target is left alone, for how long, and how many at a time: by a clock that the tests own.
import { describe, expect, test } from 'vitest'
import {
  afterWord,
  eject,
  isEjected,
  isOutlier,
  mostEjected,
  type Standing,
  unknown,
} from '../../gateway/balancing/outliers.ts'
import type { TargetWord } from '../../gateway/model.ts'

const settings = { consecutive: 5, ejectMs: 30_000, maxBasisPoints: 1_000 }

const words: Record<string, TargetWord> = { f: 'failed', '.': 'fine' }

/** One word each: `f` failed, `.` fine. */
function afterWords(said: string, standing: Standing = unknown, nowMs = 0): Standing {
  return [...said].reduce((before, word) => afterWord(before, words[word] ?? 'fine', nowMs), standing)
}

describe('an outlier', () => {
  test.each([
    ['', false],
    ['....', false],
    ['ffff', false],
    ['fffff', true],
    ['ffff.f', false],
    ['ffff.ffff', false],
    ['.ffff.fffff', true],
    // It had to stay, because too many were left alone.
    ['ffffffff', true],
    ['ffffffff.', false],
  ])('after %j: %s', (said, is) => expect(isOutlier(afterWords(said), settings)).toBe(is))
})

describe('an ejection', () => {
  const first = eject(afterWords('fffff'), settings, 1_000)

  test('lasts as long as the file says, and ends by itself', () => {
    expect([isEjected(first, 1_000), isEjected(first, 30_999), isEjected(first, 31_000)]).toEqual([true, true, false])
  })

  test('is changed by nothing that is heard meanwhile', () => {
    expect(afterWords('fffff.....f', first, 30_999)).toEqual(first)
  })

  test('leaves no failures behind: as many as before must come again', () => {
    expect(isOutlier(afterWords('ffff', first, 31_000), settings)).toBe(false)
    expect(isOutlier(afterWords('fffff', first, 31_000), settings)).toBe(true)
  })

  test('is longer each time, up to five minutes', () => {
    const lasts: number[] = []
    let standing = unknown
    for (let nowMs = 0, i = 0; i < 12; i++) {
      standing = eject(standing, settings, nowMs)
      lasts.push((standing.ejectedUntil - nowMs) / 1_000)
      nowMs = standing.ejectedUntil
    }
    expect(lasts).toEqual([30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300])
  })

  test('is forgotten by and by: one for every ten seconds without', () => {
    const third = eject(eject(first, settings, 31_000), settings, 91_000)
    const backAt = third.ejectedUntil
    const lastsAfter = (ms: number) => (eject(third, settings, backAt + ms).ejectedUntil - backAt - ms) / 1_000
    expect([0, 9_999, 10_000, 20_000, 30_000, 3_600_000].map(lastsAfter)).toEqual([120, 120, 90, 60, 30, 30])
  })

  test('longer than five minutes is as long as the file says', () => {
    expect(eject(unknown, { ...settings, ejectMs: 600_000 }, 0).ejectedUntil).toBe(600_000)
  })
})

test.each([
  [1, 1_000, 0],
  [2, 10_000, 0],
  [3, 1_000, 1],
  [3, 0, 1],
  [19, 1_000, 1],
  [20, 1_000, 2],
  [10, 5_000, 5],
])('of %i targets, at %i basis points, %i may be left alone', (targets, maxBasisPoints, most) => {
  expect(mostEjected(targets, { ...settings, maxBasisPoints })).toBe(most)
})
