// What a schema cannot say of a rollout: stages and shares that do not fit each other, and doubts worth a warning.
// The danger it guards against: a canary that nobody is in, and a guard that cannot do what it is trusted to.
import type { RolloutDeclaration } from '../model.ts'
import { type Page, refuse, wordsAt } from './page.ts'
import { below } from './pointer.ts'

/** @param at pointer of the mapping that has the rollout's keys */
export function checkRollout(page: Page, at: string, rollout: RolloutDeclaration): void {
  checkShare(page, at, rollout)
  checkSteps(page, at, rollout)
  const { declared, takesWrites, writesSurviveRollback } = rollout
  const isGuarded = declared.stage === 'canary' || declared.stage === 'live'
  if (isGuarded && takesWrites && !writesSurviveRollback)
    page.findings.warn(
      page.written.positionOf(below(at, 'stage')),
      `"${rollout.key}" takes methods that write, so its guard will only pause and alarm; give reads and writes routes of their own (methods), or say writesSurviveRollback: true`,
    )
}

function checkShare(page: Page, at: string, { declared, holdbackBasisPoints }: RolloutDeclaration): void {
  const hasShare = page.written.has(below(at, 'share'))
  const isCanary = declared.stage === 'canary'
  if (isCanary && !hasShare) refuse(page, below(at, 'stage'), 'a canary needs a share; add, for instance, share: 5%')
  if (!isCanary && hasShare)
    refuse(
      page,
      below(at, 'share'),
      `a share belongs to stage canary, not ${declared.stage}; remove it, or write stage: canary`,
    )
  if (holdbackBasisPoints > 5_000) refuse(page, below(at, 'holdback'), 'a holdback is a control, at most 50%')
}

function checkSteps(page: Page, at: string, { advance }: RolloutDeclaration): void {
  const steps = advance?.stepsBasisPoints ?? []
  const falling = steps.findIndex((step, i) => step <= (steps[i - 1] ?? 0))
  if (falling >= 0) {
    const pointer = below(at, 'steps', falling)
    refuse(page, pointer, `steps rise from one to the next; ${wordsAt(page, pointer)} does not`)
  }
}
