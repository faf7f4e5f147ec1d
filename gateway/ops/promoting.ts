// Where an order to promote leads, and what speaks for it.
// The danger it guards against: a verdict of an earlier stage that is taken for one of this.
import type { Decision, Json, Standing } from '../model.ts'
import { percent } from '../rollout/finding.ts'
import { mostMismatched, needsEvidence, nextStanding, refusalOf, standingNamed } from '../rollout/promotion.ts'
import { describeStanding, rankOf } from '../rollout/standing.ts'
import { Refusal, type RolloutState } from '../state/rolloutBook.ts'
import type { Evidence, Gateway } from './gateway.ts'

interface Order {
  readonly force?: boolean
  readonly reason?: string
}

/** @throws Refusal */
export function targetOf({ rollout, effective }: RolloutState, words: string | undefined): Standing {
  const to = words === undefined ? nextStanding(rollout, effective) : standingNamed(words, rollout)
  const refused = typeof to === 'string' ? to : refusalOf(rollout, effective, to)
  if (typeof to === 'string' || refused !== undefined) throw new Refusal(refused)
  return to
}

/** What speaks for it, for the record. @throws Refusal when nothing does and it is not forced */
export function evidenceFor(
  state: RolloutState,
  to: Standing,
  order: Order,
  { evidence }: Gateway,
): Pick<Decision, 'evidence'> {
  if (order.force && !order.reason) throw new Refusal('what is forced needs a reason: --reason "…"')
  if (!needsEvidence(to)) return {}
  const isAsked = rankOf(state.effective.stage) >= rankOf('canary')
  const { isEnough, why, figures } = isAsked ? ofVerdict(state, evidence) : ofComparisons(state, evidence)
  if (!isEnough && !order.force)
    throw new Refusal(
      `nothing speaks for ${describeStanding(to)} yet: ${why}; wait, or say why not: --force --reason "…"`,
    )
  return { evidence: { ...figures, ...(!isEnough && { forced: true }) } }
}

interface Speaks {
  readonly isEnough: boolean
  readonly why: string
  readonly figures: Readonly<Record<string, Json>>
}

function ofVerdict({ rollout, since }: RolloutState, evidence: Evidence): Speaks {
  const verdict = evidence.verdictOf(rollout.key)
  // What was found before it came to stand here says nothing about how it does here.
  if (!verdict || verdict.checkedAt < since) return { isEnough: false, why: 'there is no verdict', figures: {} }
  const { result, reasons, control } = verdict
  return {
    isEnough: result === 'pass',
    why: [result, ...reasons].join(', '),
    figures: { verdict: result, reasons, control },
  }
}

/** Before any client is answered by the new side, only compared answers tell how it does. */
function ofComparisons({ rollout: { key, compares, guard } }: RolloutState, evidence: Evidence): Speaks {
  const { compared, mismatched } = evidence.comparedOf(key) ?? { compared: 0, mismatched: 0 }
  const most = guard.maxMismatchShare ?? mostMismatched
  const isEnough = compared >= guard.minRequests && mismatched <= compared * most
  const why = compares
    ? `${mismatched} of ${compared} compared answers differ, and at most ${percent(most)} of at least ${guard.minRequests} may`
    : 'it has no "compare", so nothing is known of its answers'
  return { isEnough, why, figures: { compared, mismatched } }
}
