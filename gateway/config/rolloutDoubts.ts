// What a schema cannot say of a rollout: stages and shares that do not fit each other, and doubts worth a warning.
// The danger it guards against: a canary that nobody is in, and a guard that cannot do what it is trusted to.
import type { RolloutDeclaration } from '../model.ts'
import { parseHours } from '../rollout/hours.ts'
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
  if (holdbackBasisPoints > 5_000)
    refuse(
      page,
      below(at, 'holdback'),
      `a holdback is a control of at most 50%, not ${wordsAt(page, below(at, 'holdback'))}`,
    )
}

function checkSteps(page: Page, at: string, { advance }: RolloutDeclaration): void {
  for (const key of ['each', 'hours']) {
    if (advance || !page.written.has(below(at, key))) continue
    const where = page.written.keyPositionOf(below(at, key))
    page.findings.error(where, `"${key}" says when the steps are taken, and there are none; add "steps" or remove it`)
  }
  if (advance?.hours !== undefined) checkHours(page, below(at, 'hours'), advance.hours)
  const steps = advance?.stepsBasisPoints ?? []
  const falling = steps.findIndex((step, i) => step <= (steps[i - 1] ?? 0))
  if (falling < 0) return
  const [pointer, before] = [below(at, 'steps', falling), below(at, 'steps', falling - 1)]
  const remedy = falling > 0 ? `write more than ${wordsAt(page, before)}` : 'begin with 0.01% or more'
  refuse(page, pointer, `steps rise from one to the next, and ${wordsAt(page, pointer)} does not; ${remedy}`)
}

function checkHours(page: Page, pointer: string, hours: string): void {
  const parsed = parseHours(hours)
  if (!('problem' in parsed)) return
  // Of what came from the environment no part is told.
  const isLiteral = page.written.wordsAt(pointer) === hours
  refuse(page, pointer, isLiteral ? parsed.problem : `${wordsAt(page, pointer)} names no days and hours`)
}
