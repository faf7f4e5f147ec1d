// What each order makes of what is decided about a rollout, or why it is refused.
// The danger it guards against: an order that undoes another one that nobody has looked at, such as a promotion over a rollback.
import type { Decision, Overrides, Standing } from '../model.ts'
import { decidedOf, rolledBack } from '../rollout/effective.ts'
import { compareStandings, isSameStanding } from '../rollout/standing.ts'
import { Refusal, type RolloutState } from './rolloutBook.ts'

/** With the moment at which it was made; milliseconds since the epoch. */
export type Decided = Decision & { readonly at: number }

/** All throw Refusal. */
export type Order = (state: RolloutState, decided: Decided) => Overrides

export const rollBack: Order = ({ rollout, overrides }, decided) => {
  if (overrides.rollback) return overrides
  const { key, hash } = rollout
  const to = rolledBack(rollout)
  // Broken glass hides where it would stand once that is lifted, which is what the order is about.
  const from = decidedOf(rollout, overrides)
  if (from.stage === 'final')
    throw new Refusal(`"${key}" is final: the old side is never asked again; an edit of routes.yaml is the only way`)
  if (compareStandings(from, to) <= 0)
    throw new Refusal(`"${key}" stands at ${from.stage}, where the old side answers already`)
  const { pause } = overrides
  return { ...(pause && { pause }), rollback: { ...decided, from: plain(from), to, hash } }
}

export const pause: Order = ({ overrides, effective }, decided) => ({
  ...overrides,
  pause: { ...decided, held: plain(effective) },
})

export const resume: Order = ({ rollout, overrides }) => {
  const { pause, ...others } = overrides
  if (!pause) throw new Refusal(`"${rollout.key}" is not paused`)
  return others
}

export const acknowledge: Order = ({ rollout, overrides }) => {
  const { rollback, ...others } = overrides
  if (!rollback) throw new Refusal(`"${rollout.key}" is not rolled back: nothing is to be acknowledged`)
  return others
}

export const advanceTo =
  (to: Standing): Order =>
  ({ rollout: { key, declared }, overrides: { rollback, pause } }, decided) => {
    if (rollback)
      throw new Refusal(`"${key}" was rolled back (${rollback.reason}); acknowledge it first: banyan ack ${key}`)
    if (pause) throw new Refusal(`"${key}" is paused (${pause.reason}); resume it first: banyan resume ${key}`)
    return isSameStanding(to, declared) ? {} : { advance: { ...decided, to, declared: plain(declared) } }
  }

/** A rollback of what the file does not have any more. */
export function orphanSentence(key: string, { reason }: Decision): string {
  return `"${key}" was rolled back (${reason}) and is not in the file any more; if it has a new name give that route "was: ${key}", or end the rollback first: banyan ack ${key}`
}

function plain({ stage, shareBasisPoints }: Standing): Standing {
  return { stage, shareBasisPoints }
}
