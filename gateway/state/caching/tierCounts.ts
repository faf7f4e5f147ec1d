// What became of looks into the shared store and of what was put there. The danger it guards against: a store that is asked for each
// request and gives nothing, and nobody notices.

/**
 * `hit`: it had what was wanted; `miss`: it had not; `late`: no answer within the bound; `away`: it was not asked, being down or
 * resting after it was late; `failed`: it said that it cannot.
 */
export const looks = ['hit', 'miss', 'late', 'away', 'failed'] as const
export type Look = (typeof looks)[number]

/** `void`: a purge was quicker. */
export const puts = ['stored', 'void', 'failed'] as const
export type Put = (typeof puts)[number]

export interface FarCounts {
  readonly looks: Readonly<Record<Look, number>>
  readonly puts: Readonly<Record<Put, number>>
  /** Of all looks together: what requests have waited. */
  readonly waitedMs: number
}

export function createFarCounts() {
  const counts = {
    looks: { hit: 0, miss: 0, late: 0, away: 0, failed: 0 },
    puts: { stored: 0, void: 0, failed: 0 },
    waitedMs: 0,
  }
  return {
    looked(what: Look, waitedMs = 0): void {
      counts.looks[what] += 1
      counts.waitedMs += waitedMs
    },
    put(what: Put): void {
      counts.puts[what] += 1
    },
    counts: (): FarCounts => counts,
  }
}
