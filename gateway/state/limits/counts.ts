// What limits said, by Route. The danger it guards against: a limit that is tried out, and nobody knows whom it would have refused.
import type { Allowance, Charge } from '../../model.ts'

/** `wouldRefuse`: allowed, because what refuses it is only tried out; `unknown`: refused, because nobody could say. */
export const limitResults = ['allowed', 'refused', 'wouldRefuse', 'unknown'] as const
export type LimitResult = (typeof limitResults)[number]

/** `withoutStore`: of all of them those of which the store was not asked, or did not answer. */
export type LimitCount = Readonly<Record<LimitResult | 'withoutStore', number>>

/** By Route. */
export type LimitCounts = ReadonlyMap<string, LimitCount>

export function createLimitCounts() {
  const counts = new Map<string, Record<LimitResult | 'withoutStore', number>>()

  function of(route: string): Record<LimitResult | 'withoutStore', number> {
    const known = counts.get(route)
    if (known) return known
    const made = { allowed: 0, refused: 0, wouldRefuse: 0, unknown: 0, withoutStore: 0 }
    counts.set(route, made)
    return made
  }

  return {
    /** @returns the same */
    count<C extends Charge>(route: string, allowance: Allowance<C>, how?: 'withoutStore'): Allowance<C> {
      const counted = of(route)
      counted[resultOf(allowance)] += 1
      if (how) counted.withoutStore += 1
      return allowance
    },
    counts: (): LimitCounts => counts,
    keepOnly(routes: ReadonlySet<string>): void {
      for (const route of counts.keys()) if (!routes.has(route)) counts.delete(route)
    },
  }
}

function resultOf({ result, charges }: Allowance): LimitResult {
  if (result !== 'allowed') return result
  return charges.every(({ isMet }) => isMet) ? 'allowed' : 'wouldRefuse'
}
