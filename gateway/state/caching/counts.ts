// What became of requests that the cache concerns itself with, by Route.
// The danger it guards against: a label that a client can choose.

import type { Exchange } from '../../model.ts'

/**
 * `hit`: fresh from stock; `stale`: stale from stock; `revalidated`: from stock, the upstream has confirmed it; `collapsed`: with the
 * answer to somebody else's request; `miss`: the upstream's own; `passed`: the upstream's own, and the cache has looked away.
 */
export const cacheResults = ['hit', 'stale', 'revalidated', 'collapsed', 'miss', 'passed'] as const
export type CacheResult = (typeof cacheResults)[number]

/** By Route. */
export type CacheCounts = ReadonlyMap<string, Readonly<Record<CacheResult, number>>>

/** Looks into the stock of this process. */
export interface NearCounts {
  readonly hit: number
  readonly miss: number
}

/** Who made answers void: an operator; a write at this gateway; anybody, as the log of all replicas says. */
export const purgers = ['order', 'write', 'log'] as const
export type Purger = (typeof purgers)[number]

export function createCacheCounts() {
  const counts = new Map<string, Record<CacheResult, number>>()
  const near = { hit: 0, miss: 0 }
  const purges = { order: 0, write: 0, log: 0 }
  return {
    countPurge(by: Purger): void {
      purges[by] += 1
    },
    purges: (): Readonly<Record<Purger, number>> => purges,
    countNear(result: keyof NearCounts): void {
      near[result] += 1
    },
    nearCounts: (): NearCounts => near,
    /** What the cache asks on its own behalf is no client's request. */
    count({ exchange: { role, route } }: { readonly exchange: Exchange }, result: CacheResult): void {
      if (role !== 'primary') return
      const known = counts.get(route.name)
      if (known) known[result] += 1
      else counts.set(route.name, { hit: 0, stale: 0, revalidated: 0, collapsed: 0, miss: 0, passed: 0, [result]: 1 })
    },
    counts: (): CacheCounts => counts,
  }
}
