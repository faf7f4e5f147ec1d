// Adds up what replicas counted. The danger it guards against: counts that are added twice, or by place to the wrong ones.
import { parse, textOf } from './json.ts'
import type { Counts } from './port.ts'

/** How long counts are kept. */
export const keptCountsMs = 300_000

export const textOfCounts = (counts: Counts): string => textOf([...counts])

/** @param reports as `textOfCounts` writes them */
export function sumOf(reports: readonly string[]): Counts {
  const sums = new Map<string, number[]>()
  for (const report of reports) {
    for (const [key, counts] of parse(report) as [string, number[]][]) {
      const sum = sums.get(key) ?? []
      for (const [place, count] of counts.entries()) sum[place] = (sum[place] ?? 0) + count
      sums.set(key, sum)
    }
  }
  return sums
}
