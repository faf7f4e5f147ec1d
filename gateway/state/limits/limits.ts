// Limits as their filter sees them: drawn on the store that all replicas share, or here while there is none.
// The danger it guards against: a store that is gone and takes the limits with it, or the requests. Without it each gateway goes on
// with its share, from where it last knew the budgets to stand; it waits for it once, and then not again until it is back.
import { shareOf } from '../../limiting/budget.ts'
import type { Limits } from '../../model/ports.ts'
import type { Allowance, Charge, Clock, Drawing, Drawn, Snapshot } from '../../model.ts'
import type { Store } from '../store.ts'
import { createLimitCounts, type LimitCounts } from './counts.ts'
import { createMemoryBudgets } from './memory.ts'

export interface LimitBook extends Limits {
  /** Forgets the counts of Routes that are not served any more. */
  follow(snapshot: Pick<Snapshot, 'routes' | 'unmatched'>): void
  /** Requests by Route. */
  counts(): LimitCounts
  /** How many budgets are remembered here. */
  size(): number
}

export interface LimitParts {
  readonly clock: Clock
  /** Undefined while nothing is shared. */
  store(): Pick<Store, 'draw' | 'settle' | 'state'> | undefined
  /** How many gateways there are, this one included. */
  gateways(): number
}

/** About 30 MB. */
const mostKept = 100_000

export function createLimits({ clock, store, gateways }: LimitParts): LimitBook {
  const own = createMemoryBudgets(clock, mostKept)
  const { count, counts, keepOnly } = createLimitCounts()

  /** @param isLost whether there should be a store */
  function takeHere<C extends Charge>(charges: readonly C[], isLost: boolean): Allowance<C> {
    const kept = isLost ? charges.filter(({ onStoreLoss }) => onStoreLoss === 'localShare') : charges
    const shares = kept.map((charge) => ({ ...charge, budget: shareOf(charge.budget, gateways(), charge.cost) }))
    const isClosed = isLost && charges.some(({ onStoreLoss, isDry }) => onStoreLoss === 'closed' && !isDry)
    return isClosed ? { result: 'unknown', charges: [], at: 'here' } : allowanceOf(shares, own.draw(shares), 'here')
  }

  async function takeThere<C extends Charge>(
    shared: Pick<Store, 'draw'>,
    route: string,
    charges: readonly C[],
  ): Promise<Allowance<C>> {
    const drawing = await shared.draw(charges).catch(() => undefined)
    if (!drawing) return count(route, takeHere(charges, true), 'withoutStore')
    charges.forEach(({ key, budget, cost }, i) => {
      const { used = 0 } = drawing.drawn[i]?.level ?? {}
      own.learn(key, shareOf(budget, gateways(), cost), used / gateways())
    })
    return count(route, allowanceOf(charges, drawing, 'store'))
  }

  return {
    take(route, charges) {
      const shared = store()
      if (shared?.state().is === 'up') return takeThere(shared, route, charges)
      return count(route, takeHere(charges, shared !== undefined), shared && 'withoutStore')
    },
    settle(at, settled) {
      if (settled.length === 0) return
      if (at === 'here') own.settle(settled)
      // What the store does not hear of stands as it was reserved.
      else
        store()
          ?.settle(settled)
          .catch(() => {})
    },
    follow: ({ routes, unmatched }) => keepOnly(new Set([...routes, unmatched].map(({ name }) => name))),
    counts,
    size: own.size,
  }
}

function allowanceOf<C extends Charge>(
  charges: readonly C[],
  { isTaken, drawn }: Drawing,
  at: Allowance['at'],
): Allowance<C> {
  const together = charges.map((charge, i) => ({ ...charge, ...(drawn[i] as Drawn) }))
  return { result: isTaken ? 'allowed' : 'refused', charges: together, at }
}
