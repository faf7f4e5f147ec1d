// The arithmetic of the guard against figures that others published, and against exact fractions.
import { describe, expect, test } from 'vitest'
import { binOf, binStartMs, latencyBins } from '../../gateway/rollout/counts.ts'
import { chanceOfSoMany, chanceOfSoUneven, newcombe, quantile, wilson } from '../../gateway/rollout/statistics.ts'
import { randomFrom } from '../../services/kit/prng.ts'
import { seed } from './seed.ts'

const z95 = 1.959964

describe('the bounds of one share', () => {
  // Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998) 857–872, table I, method 3.
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %i in %i are Newcombe’s', (count, of, low, high) => {
    const bounds = wilson({ count, of }, z95)
    expect(bounds.low).toBeCloseTo(low, 4)
    expect(bounds.high).toBeCloseTo(high, 4)
  })

  test('of nothing are everything', () => {
    expect(wilson({ count: 0, of: 0 }, 3)).toEqual({ low: 0, high: 1 })
  })
})

describe('the bounds of a difference of two shares', () => {
  // Newcombe, Interval estimation for the difference between independent proportions, ibid. 873–890, table II, method 10.
  test.each([
    { a: [56, 70], b: [48, 80], low: 0.0524, high: 0.3339 },
    { a: [9, 10], b: [3, 10], low: 0.1705, high: 0.809 },
    { a: [6, 7], b: [2, 7], low: 0.0582, high: 0.8062 },
    { a: [5, 56], b: [0, 29], low: -0.0381, high: 0.1926 },
    { a: [0, 10], b: [0, 20], low: -0.1611, high: 0.2775 },
    { a: [10, 10], b: [0, 20], low: 0.6791, high: 1 },
  ] as const)('$a less $b are Newcombe’s', ({ a, b, low, high }) => {
    const bounds = newcombe({ count: a[0], of: a[1] }, { count: b[0], of: b[1] }, z95)
    expect(bounds.low).toBeCloseTo(low, 4)
    expect(bounds.high).toBeCloseTo(high, 4)
  })
})

/** By whole numbers, without logarithms: the share is `permille` of a thousand. */
function exactChance(count: number, of: number, permille: number): number {
  let [sum, choose] = [0n, 1n]
  for (let k = 0; k <= of; k++) {
    if (k >= count) sum += choose * BigInt(permille) ** BigInt(k) * BigInt(1000 - permille) ** BigInt(of - k)
    choose = (choose * BigInt(of - k)) / BigInt(k + 1)
  }
  return Number((sum * 10n ** 40n) / 1000n ** BigInt(of)) / 1e40
}

describe('the chance of so many', () => {
  test.each([
    [8, 10, 500],
    [3, 5, 200],
    [1, 100, 10],
    [20, 500, 10],
    [12, 450, 3],
    [400, 500, 900],
    [480, 500, 900],
    [0, 7, 10],
    [7, 7, 990],
  ])('%i or more of %i at %i ‰ is the exact fraction', (count, of, permille) => {
    const exact = exactChance(count, of, permille)
    expect(chanceOfSoMany({ count, of }, permille / 1000) / exact).toBeCloseTo(1, 9)
  })

  test('stands for the largest windows', () => {
    // The middle of a binomial: one half and a little.
    expect(chanceOfSoMany({ count: 500_000, of: 50_000_000 }, 0.01)).toBeCloseTo(0.5003, 3)
    expect(chanceOfSoMany({ count: 510_000, of: 50_000_000 }, 0.01)).toBeLessThan(1e-40)
  })

  test('of twelve failures that all fall on one of two equal sides is that of twelve coins', () => {
    expect(chanceOfSoUneven({ count: 12, of: 450 }, { count: 0, of: 450 })).toBeCloseTo(2 ** -12, 9)
  })

  test('is the same whether successes or misses are counted', () => {
    const some = chanceOfSoUneven({ count: 40, of: 500 }, { count: 10, of: 400 })
    expect(chanceOfSoUneven({ count: 390, of: 400 }, { count: 460, of: 500 })).toBeCloseTo(some, 12)
  })

  test('is certain where one side has nothing', () => {
    expect(chanceOfSoUneven({ count: 5, of: 5 }, { count: 0, of: 0 })).toBe(1)
  })
})

describe('a quantile', () => {
  test('has for a hundred values the ranks 40 and 61 around its median', () => {
    // Campbell and Gardner, Calculating confidence intervals for some non-parametric analyses, BMJ 296 (1988) 1454.
    const bins = Array.from({ length: 100 }, () => 1)
    const median = quantile(bins, 0.5, 1.96)
    expect(median?.low).toBe(binStartMs(39))
    expect(median?.high).toBe(binStartMs(61))
  })

  test('of few values has no bound above its tail', () => {
    const bins = Array.from({ length: 50 }, () => 1)
    expect(quantile(bins, 0.95, 3)?.high).toBe(Number.POSITIVE_INFINITY)
    expect(quantile([1], 0.5, 3)).toMatchObject({ low: 0 })
    expect(quantile([0, 0], 0.5, 3)).toBeUndefined()
  })

  test('is at most five per cent off, from a millisecond to ten minutes', () => {
    for (let ms = 1; ms < 590_000; ms *= 1.013) {
      const bins = Array.from({ length: latencyBins }, (_, bin) => (bin === binOf(ms) ? 1 : 0))
      expect(Math.abs((quantile(bins, 0.5, 0)?.estimate ?? 0) / ms - 1)).toBeLessThan(0.05)
    }
  })

  test(`lies within its bounds as often as they promise (seed ${seed})`, () => {
    const random = randomFrom(seed)
    let within = 0
    for (let round = 0; round < 2_000; round++) {
      const bins = Array.from({ length: latencyBins }, () => 0)
      for (let drawn = 0; drawn < 400; drawn++) {
        // Exponential with mean 100 ms: its 95th percentile is 299.6 ms.
        const bin = binOf(-100 * Math.log(1 - random()))
        bins[bin] = (bins[bin] ?? 0) + 1
      }
      const { low = 0, high = 0 } = quantile(bins, 0.95, 1.96) ?? {}
      if (low <= 299.6 && 299.6 <= high) within++
    }
    // The bins make the bounds wider, never narrower.
    expect(within / 2_000).toBeGreaterThan(0.94)
  })
})
