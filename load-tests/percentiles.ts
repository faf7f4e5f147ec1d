// Exact percentiles of what was measured, by nearest rank; nothing is binned or estimated.
// The danger it guards against: a tail that a histogram has rounded away.

export interface Spread {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** @returns undefined when nothing was measured: no figure is better than a zero that reads as a good one. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined
  const sorted = Float64Array.from(values).sort()
  return { count: sorted.length, p50: rank(sorted, 50), p99: rank(sorted, 99), max: rank(sorted, 100) }
}

/** The smallest value that at least `percent` of all values do not exceed. */
function rank(sorted: Float64Array, percent: number): number {
  const position = Math.max(1, Math.ceil((percent / 100) * sorted.length))
  return sorted[position - 1] as number
}
