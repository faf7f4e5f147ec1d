// How sure counts make us. Pure arithmetic; z is how many standard errors away a bound lies (1.96: 95 % between two of them).
// The danger it guards against: a verdict by chance: few requests, or many looks at many of them.
import { binStartMs } from './counts.ts'

/** So many of so many. */
export interface Part {
  readonly count: number
  readonly of: number
}

export interface Bounds {
  readonly low: number
  readonly high: number
}

/** The score interval of one share (Wilson 1927): holds for few requests and for shares near 0 and 1 too. */
export function wilson({ count, of }: Part, z: number): Bounds {
  if (of === 0) return { low: 0, high: 1 }
  const share = count / of
  const z2 = z * z
  const centre = share + z2 / (2 * of)
  const reach = z * Math.sqrt((share * (1 - share)) / of + z2 / (4 * of * of))
  const scale = 1 + z2 / of
  return {
    low: count === 0 ? 0 : Math.max(0, (centre - reach) / scale),
    high: count === of ? 1 : Math.min(1, (centre + reach) / scale),
  }
}

/** The interval of `a`'s share less `b`'s (Newcombe 1998, method 10: from the Wilson bounds of both). */
export function newcombe(a: Part, b: Part, z: number): Bounds {
  const [shareA, shareB] = [shareOf(a), shareOf(b)]
  const [boundsA, boundsB] = [wilson(a, z), wilson(b, z)]
  const difference = shareA - shareB
  return {
    low: difference - Math.hypot(shareA - boundsA.low, boundsB.high - shareB),
    high: difference + Math.hypot(boundsA.high - shareA, shareB - boundsB.low),
  }
}

/** 0 of nothing. */
export function shareOf({ count, of }: Part): number {
  return of === 0 ? 0 : count / of
}

/** How probable `count` or more are in `of` trials that each succeed with probability `share`. Exact. */
export function chanceOfSoMany({ count, of }: Part, share: number): number {
  if (count <= 0) return 1
  if (share <= 0 || share >= 1) return share >= 1 ? 1 : 0
  // The sum runs away from the middle, where the terms shrink quickly.
  if (count <= of * share) return 1 - sumOfTerms({ count: of - count + 1, of }, 1 - share)
  return sumOfTerms({ count, of }, share)
}

function sumOfTerms({ count, of }: Part, share: number): number {
  const log = logChoose(of, count) + count * Math.log(share) + (of - count) * Math.log1p(-share)
  const odds = share / (1 - share)
  let term = Math.exp(log)
  let sum = term
  for (let k = count; k < of && term > sum * 1e-12; k++) {
    term *= ((of - k) / (k + 1)) * odds
    sum += term
  }
  return Math.min(1, sum)
}

/**
 * How probable it is that `a` has so many more than `b` although both have the same share: given how many there are together,
 * each falls to `a` with its part of the trials (Przyborowski and Wilenski 1940). Exact for rare events; above one half it
 * asks about the misses instead, which are then the rare ones.
 */
export function chanceOfSoUneven(a: Part, b: Part): number {
  if (a.of === 0 || b.of === 0) return 1
  const [more, less] = a.count + b.count > (a.of + b.of) / 2 ? [missesOf(b), missesOf(a)] : [a, b]
  return chanceOfSoMany({ count: more.count, of: more.count + less.count }, more.of / (more.of + less.of))
}

export function missesOf({ count, of }: Part): Part {
  return { count: of - count, of }
}

/** The quantile of a histogram of latencies, ms, with bounds by order statistics (binomial, by its normal approximation). */
export interface Quantile extends Bounds {
  /** The middle of its bin. */
  readonly estimate: number
}

/** @returns undefined for no latencies; a bound beyond the last one is Infinity, below the first one 0 */
export function quantile(bins: readonly number[], share: number, z: number): Quantile | undefined {
  const of = bins.reduce((sum, count) => sum + count, 0)
  if (of === 0) return undefined
  const reach = z * Math.sqrt(of * share * (1 - share))
  const lowest = Math.floor(of * share - reach)
  const highest = Math.ceil(of * share + reach + 1)
  const { bin } = placeOf(bins, of * share)
  const low = placeOf(bins, lowest)
  const high = placeOf(bins, highest)
  return {
    estimate: binStartMs(bin + 0.5),
    // Within a bin the ranks are taken for evenly spread.
    low: lowest < 1 ? 0 : binStartMs(low.bin + low.before / low.count),
    high: highest > of ? Number.POSITIVE_INFINITY : binStartMs(high.bin + (high.before + 1) / high.count),
  }
}

/** The bin that holds the one of that rank (from 1, at most their number), and how many of the bin's are before it. */
function placeOf(bins: readonly number[], rank: number): { bin: number; before: number; count: number } {
  let seen = 0
  const bin = bins.findIndex((count) => {
    seen += count
    return count > 0 && seen >= rank
  })
  const count = bins[bin] ?? 1
  return { bin, before: rank - 1 - (seen - count), count }
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k)
}

/** Stirling's series, to 1e-12 from 10 up (Abramowitz and Stegun 6.1.41); below by multiplication. */
function logFactorial(n: number): number {
  if (n < 10) {
    let product = 1
    for (let factor = 2; factor <= n; factor++) product *= factor
    return Math.log(product)
  }
  const x = n + 1
  const series = 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5) - 1 / (1680 * x ** 7)
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series
}
