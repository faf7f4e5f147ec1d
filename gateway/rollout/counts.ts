// What was seen of one side in a span of time, as a plain list of numbers: it can be added to what other replicas saw, and stored.
// The danger it guards against: averages and percentiles of replicas, which cannot be added up; only counts can.

/** One list of numbers; `place` says what stands where. */
export type Counts = readonly number[]

/** Latencies are counted in bins, each 10 % wider than the one before: the middle of a bin is at most 4.9 % off. */
const growth = Math.log(1.1)
const lowestMs = 0.1
/** Up to ten minutes. */
export const latencyBins = 164

export const place = {
  /** Attempts that ended, without those that the client spoiled otherwise than by leaving. */
  requests: 0,
  /** No answer and not by the client's fault, a status of 500 or more, or an answer that broke off. */
  failures: 1,
  /** The client ended it before the head. */
  abandoned: 2,
  /** 1xx, 2xx, 3xx, 4xx and 5xx. */
  statuses: 3,
  compared: 8,
  mismatched: 9,
  /** How often the breaker of the side's upstream opened. */
  breakerOpened: 10,
  latencies: 11,
} as const

export const countsLength = place.latencies + latencyBins

/** @param counts of spans that do not overlap: other replicas', other routes' of the same group */
export function add(a: Counts, b: Counts): Counts {
  return a.map((count, index) => count + (b[index] ?? 0))
}

export const noCounts: Counts = Array.from({ length: countsLength }, () => 0)

export function countOf(counts: Counts, at: Exclude<keyof typeof place, 'statuses' | 'latencies'>): number {
  return counts[place[at]] ?? 0
}

/** @param statusClass 1–5 */
export function statusesOf(counts: Counts, statusClass: number): number {
  return counts[place.statuses + statusClass - 1] ?? 0
}

/** The bins of its latencies, from the lowest up. */
export function latenciesOf(counts: Counts): readonly number[] {
  return counts.slice(place.latencies, place.latencies + latencyBins)
}

export function binOf(ms: number): number {
  const bin = Math.floor(Math.log(ms / lowestMs) / growth)
  return Math.min(Math.max(bin, 0), latencyBins - 1)
}

/** The latency at which a bin begins; the next one's is where it ends. */
export function binStartMs(bin: number): number {
  return lowestMs * Math.exp(bin * growth)
}
