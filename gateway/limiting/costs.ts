// What a request has cost in the end, where that is known only then.
// The danger it guards against: a cost that nobody names and that is taken for none: what was reserved stands.
import type { Answer, End, Settled } from '../model.ts'
import type { RuleDrawn } from './telling.ts'

/** An answer from stock has cost somebody something once, and says so each time: here its own price holds. */
export function costsOfHit(charges: readonly RuleDrawn[]): readonly Settled[] {
  return settledOf(charges, ({ rule }) => rule.hitCost)
}

export function costsAsSaid(charges: readonly RuleDrawn[], answer: Answer, end: End): readonly Settled[] {
  return settledOf(charges, ({ rule }) =>
    rule.costField === undefined ? undefined : saidIn(rule.costField, answer, end),
  )
}

function settledOf(
  charges: readonly RuleDrawn[],
  costOf: (charge: RuleDrawn) => number | undefined,
): readonly Settled[] {
  return charges.flatMap((charge) => {
    const cost = charge.isMet ? costOf(charge) : undefined
    return cost === undefined || cost === charge.cost ? [] : [{ charge, cost }]
  })
}

/** Trailers are all there only behind a whole body. */
function saidIn(name: string, { fields, trailers }: Answer, { how }: End): number | undefined {
  const said = fields.get(name) ?? (how === 'complete' ? trailers?.().get(name) : undefined)
  return said !== undefined && /^[0-9]{1,12}(\.[0-9]{1,6})?$/.test(said) ? Number(said) : undefined
}
