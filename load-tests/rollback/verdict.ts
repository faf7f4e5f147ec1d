// What a rollback run has shown, in one word and in sentences. Pure.
// The danger it guards against: "passed" for a run in which nothing failed, or in which nobody was left to be protected.
import { decide, doubtsAboutSoundness, type Soundness, said, type Verdict } from '../verdict.ts'
import type { Balance } from './books.ts'
import type { Restart } from './restart.ts'

type Counts = Omit<Balance, 'phases' | 'findings' | 'moved'>

export interface Facts extends Soundness, Counts {
  /** Answers of the candidate that were spoilt on purpose, legs included. */
  readonly planted: number
  /** The guard's newest verdict before the candidate began to fail. */
  readonly verdictBefore: string | null
  /** Who decided to go back, in whatever words it says so; null: nobody. */
  readonly decidedBy: string | null
  /** From the first planted failure to the decision; null without one of them. Negative: nothing had failed yet. */
  readonly decidedAfterMs: number | null
  readonly withinMs: number | null
  /** By how much the machine's clock was set during the run. */
  readonly clockSetMs: number
  readonly restart: Restart | null
}

/** Of the machine's clock: beyond it, times of the gateway and of the client cannot be compared. */
const clockLimitMs = 5

export function verdictOf(facts: Facts): { readonly verdict: Verdict; readonly reasons: readonly string[] } {
  const guards = failuresOfTheGuard(facts)
  // A candidate that is slow because this machine is busy has failed too, and whatever the guard made of that may be right.
  const isItsFault = facts.overloadedBefore === 0
  return decide(
    [...(isItsFault ? guards : []), ...failuresInTheBooks(facts), ...failuresOfTheRestart(facts)],
    [...doubtsAboutSoundness(facts), ...doubtsAboutTheProof(facts), ...(isItsFault ? [] : guards)],
  )
}

function failuresOfTheGuard({ planted, decidedBy, decidedAfterMs, withinMs }: Facts): string[] {
  if (decidedBy === null) return planted > 0 ? [`not rolled back, although ${planted} of its answers were spoilt`] : []
  if (decidedBy !== 'guard') return [`rolled back by ${decidedBy}, not by the guard`]
  if (decidedAfterMs === null || decidedAfterMs < 0) return ['rolled back before anything had failed']
  if (withinMs === null || decidedAfterMs <= withinMs) return []
  return [`rolled back ${decidedAfterMs} ms after the first failure; ${withinMs} are allowed`]
}

function failuresInTheBooks(facts: Facts): string[] {
  const { flipped, visitors } = facts
  return [
    ...said(facts.failuresAfter, 'met a failure of the candidate after the decision'),
    ...said(facts.unexplained, 'not answered as they must be, and not because of what was planted'),
    ...said(facts.lost, 'lost: no whole answer from any side, or none that a ledger knows of'),
    ...said(facts.doubled, 'doubled: ran more than once'),
    ...said(facts.wrongSide, 'answered by the wrong side'),
    ...(flipped > 0 ? [`${flipped} of ${visitors} visitors were answered by both sides before the decision`] : []),
  ]
}

function failuresOfTheRestart({ restart }: Facts): string[] {
  if (!restart) return []
  const { isStillRolledBack, asked, answeredByOldSide, audit } = restart
  return [
    ...(isStillRolledBack ? [] : ['the gateway has forgotten the rollback over a crash']),
    ...said(asked - answeredByOldSide, 'not answered by the old side after the crash'),
    ...(audit.hasRollback ? [] : ['the audit does not have the rollback after the crash']),
    ...(audit.isSound ? [] : [`the chain of the audit is broken: ${audit.why}`]),
  ]
}

function doubtsAboutTheProof(facts: Facts): string[] {
  const { planted, verdictBefore, decidedBy, after, visitors, restart, clockSetMs } = facts
  return [
    ...said(
      facts.overloaded,
      'had no room or time on this machine: ask for less with --rate, or where there is more CPU',
    ),
    ...(planted === 0 ? ['no answer of the candidate was spoilt: there was nothing to be seen'] : []),
    ...(verdictBefore === 'pass'
      ? []
      : [`the guard had not passed the candidate before: ${verdictBefore ?? 'no word'}`]),
    ...(visitors === 0 ? ['no visitor came twice before the decision'] : []),
    ...(decidedBy !== null && after === 0 ? ['nothing was sent after the decision'] : []),
    ...(decidedBy !== null && !restart?.asked ? ['nobody whom the candidate had came again after the crash'] : []),
    ...(Math.abs(clockSetMs) > clockLimitMs ? [`the machine’s clock was set by ${clockSetMs.toFixed(0)} ms`] : []),
  ]
}
