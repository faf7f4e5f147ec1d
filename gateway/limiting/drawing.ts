// All charges of one request together: a request that one budget refuses uses nothing of the others.
// The danger it guards against: a client whose refused requests use up his day.
import type { Charge, Drawing, Drawn, Level } from '../model.ts'
import { draw } from './budget.ts'

/** @param levelOf of its key, and the time by the clock of whoever keeps it */
export function drawAll(
  charges: readonly Charge[],
  levelOf: (charge: Charge) => { readonly level: Level | undefined; readonly now: number },
): Drawing {
  const drawn = charges.map((charge) => {
    const { level, now } = levelOf(charge)
    return draw(charge.budget, level, charge.cost, now)
  })
  const isTaken = charges.every(({ isDry }, i) => isDry || drawn[i]?.isMet)
  return { isTaken, drawn: isTaken ? drawn : charges.map((charge, i) => withoutCost(charge, drawn[i] as Drawn)) }
}

function withoutCost({ cost }: Charge, { isMet, level }: Drawn): Drawn {
  if (!isMet) return { isMet, level }
  return { isMet, level: { ...level, used: level.used - cost, charged: level.charged - cost } }
}
