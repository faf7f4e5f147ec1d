// Where an order to promote leads, and what speaks for it.
// The danger it guards against: a verdict of an earlier stage that is taken for one of this.
import type { Decision, Standing } from '../model.ts'
import { needsEvidence, nextStanding, refusalOf, standingNamed } from '../rollout/promotion.ts'
import { describeStanding } from '../rollout/standing.ts'
import { Refusal, type RolloutState } from '../state/rolloutBook.ts'
import type { Gateway } from './gateway.ts'

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
  { rollout: { key }, since }: RolloutState,
  to: Standing,
  order: Order,
  { evidence }: Gateway,
): Pick<Decision, 'evidence'> {
  if (order.force && !order.reason) throw new Refusal('what is forced needs a reason: --reason "…"')
  const verdict = evidence.verdictOf(key)
  // What was found before it came to stand here says nothing about how it does here.
  const current = verdict && verdict.checkedAt >= since ? verdict : undefined
  const isForced = order.force === true && needsEvidence(to)
  if (needsEvidence(to) && current?.result !== 'pass' && !isForced)
    throw new Refusal(
      `nothing speaks for ${describeStanding(to)} yet: ${current ? [current.result, ...current.reasons].join(', ') : 'there is no verdict'}; wait for a pass, or say why not: --force --reason "…"`,
    )
  const verdictWords = current && { verdict: current.result, reasons: current.reasons, control: current.control }
  return { evidence: { ...verdictWords, ...(isForced && { forced: true }) } }
}
