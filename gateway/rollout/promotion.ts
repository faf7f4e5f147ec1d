// Where a promotion goes, and what must speak for it.
// The danger it guards against: a step onto the new side that rests on nothing, and one that nobody can go back from taken by
// mistake.
import type { Effective, RolloutDeclaration, Stage, Standing } from '../model.ts'
import { compareStandings, rankOf, standingAt, wholeShare } from './standing.ts'

const stages: readonly Stage[] = ['legacy', 'shadow', 'canary', 'live', 'final']

/** The next of its steps, else the next stage; a sentence where the operator must choose. */
export function nextStanding(rollout: RolloutDeclaration, at: Standing): Standing | string {
  const { advance, holdbackBasisPoints } = rollout
  const step = advance?.stepsBasisPoints.find((share) => at.stage !== 'canary' || share > at.shareBasisPoints)
  switch (at.stage) {
    case 'legacy':
      return standingAt('shadow')
    case 'shadow':
    case 'canary':
      if (step !== undefined) return standingAt('canary', { shareBasisPoints: step })
      if (at.stage === 'canary') return standingAt('live', { holdbackBasisPoints })
      return `"${rollout.key}" has no "steps", so say with which share its canary begins: --to 5%`
    case 'live':
      return `"${rollout.key}" is live; after final nothing goes back, so say it: --to final`
    case 'final':
      return `"${rollout.key}" is final: there is nothing further`
  }
}

/** @param words a stage, or the share of a canary: `10%`. @returns a sentence when they are neither */
export function standingNamed(words: string, { holdbackBasisPoints }: RolloutDeclaration): Standing | string {
  if (words === 'canary') return 'a canary has a share, so say that: --to 5%'
  const stage = stages.find((known) => known === words)
  if (stage) return standingAt(stage, { holdbackBasisPoints })
  const share = /^(\d{1,3}(?:\.\d{1,2})?)%$/.exec(words)
  const shareBasisPoints = Math.round(Number(share?.[1]) * 100)
  if (share && shareBasisPoints > 0 && shareBasisPoints <= wholeShare) return standingAt('canary', { shareBasisPoints })
  return `"${words}" is neither a stage (${stages.join(', ')}) nor a share such as 10%`
}

/** Why that is no promotion; undefined when it is one. */
export function refusalOf(rollout: RolloutDeclaration, at: Effective, to: Standing): string | undefined {
  if (at.why === 'breakGlass') return `"${rollout.key}" is held by break-glass.yaml; take it out of there first`
  if (at.why === 'stateUnknown') return `"${rollout.key}" is held, for ${at.reason}`
  if (compareStandings(to, at) > 0) return undefined
  return `"${rollout.key}" stands there or further already; to go back: banyan rollback ${rollout.key}, or edit the file`
}

/** Only to be asked and looked at costs no client anything; whatever answers clients needs a reason to be trusted. */
export function needsEvidence(to: Standing): boolean {
  return rankOf(to.stage) > rankOf('shadow')
}

/** The share of compared answers that may differ before a canary, where the guard has no `maxMismatchShare`. */
export const mostMismatched = 0.01

/** Said where help is given. */
export const evidenceRule =
  'To shadow nothing is needed. From there to canary, "guard.minRequests" answers must have been compared, of which no more than "guard.maxMismatchShare" (else 1%) differ; a route without "compare" needs --force. From canary on, the guard\'s verdict must be "pass". Only what was seen where the rollout stands now counts.'
