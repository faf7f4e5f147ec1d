// Budgets as this process keeps them: of one gateway without a store, and of each one that has lost it.
// The dangers it guards against: a client who begins anew at will, and makes us remember each beginning; and budgets that are
// forgotten before they are full again, which would be full the next moment.
import { resetMs, settle } from '../../limiting/budget.ts'
import { drawAll } from '../../limiting/drawing.ts'
import type { Budget, Charge, Clock, Drawing, Level, Settled } from '../../model.ts'

export interface MemoryBudgets {
  draw(charges: readonly Charge[]): Drawing
  settle(settled: readonly Settled[]): void
  /** So much of it is used now, as somebody else knows. */
  learn(key: string, budget: Budget, used: number): void
  /** How many are remembered. */
  size(): number
}

interface Kept {
  readonly budget: Budget
  readonly level: Level
}

/** More than one at a time, so that looking through all is done before as many have come. */
const lookedAtEach = 2

/** @param most how many are remembered; of more, those that were used least lately are forgotten */
export function createMemoryBudgets(clock: Clock, most: number): MemoryBudgets {
  const kept = new Map<string, Kept>()
  let looking = kept.entries()
  const nowOf = ({ perMs }: Budget) => (perMs === 0 ? clock.wall() : clock.now())

  function keep(key: string, budget: Budget, level: Level): void {
    // Behind the others, in the order of use.
    kept.delete(key)
    kept.set(key, { budget, level })
    for (let i = 0; i < lookedAtEach; i += 1) forgetOneThatIsFull()
    if (kept.size > most) kept.delete(kept.keys().next().value as string)
  }

  /** The one whose turn it is, if it is. */
  function forgetOneThatIsFull(): void {
    const { value, done } = looking.next()
    if (done) looking = kept.entries()
    else if (nowOf(value[1].budget) >= value[1].level.at + resetMs(value[1].budget, value[1].level))
      kept.delete(value[0])
  }

  return {
    draw(charges) {
      const drawing = drawAll(charges, ({ key, budget }) => ({ level: kept.get(key)?.level, now: nowOf(budget) }))
      if (drawing.isTaken)
        charges.forEach(({ key, budget }, i) => {
          const drawn = drawing.drawn[i]
          if (drawn?.isMet) keep(key, budget, drawn.level)
        })
      return drawing
    },
    settle(settled) {
      for (const { charge, cost } of settled) {
        const { key, budget, cost: reserved, level: booked } = charge
        keep(key, budget, settle(budget, kept.get(key)?.level, { reserved, cost, booked }, nowOf(budget)))
      }
    },
    learn(key, budget, used) {
      const now = nowOf(budget)
      keep(key, budget, { used, at: now, charged: used, born: now })
    },
    size: () => kept.size,
  }
}
