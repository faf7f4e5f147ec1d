// banyan promote: one step further, on evidence: first the running gateway, then the file, so that both say the same.
// The danger it guards against: a file that is edited and refused, or that holds more edits than this one.
import { readFile } from 'node:fs/promises'
import { editStanding } from '../config/edit.ts'
import { unifiedPatch } from '../config/patch.ts'
import { formatProblems } from '../config/problems.ts'
import { writeInPlace } from '../config/writeInPlace.ts'
import type { ReloadResult } from '../ops/gateway.ts'
import type { Plan } from '../ops/plan.ts'
import type { RolloutView, StandingView } from '../ops/rolloutView.ts'
import { evidenceRule } from '../rollout/promotion.ts'
import { type Ask, asking, askingOptions, refuse, type Telling } from './askAdmin.ts'
import type { Command } from './command.ts'
import { configFileOf, isFileFault } from './file.ts'
import { placeOf, reasonOption, standingText } from './order.ts'

export const promote: Command = {
  name: 'promote',
  operands: 'ROUTE',
  count: [1, 1],
  summary: 'Takes a move one step or stage further, on evidence, and edits the file to say so too.',
  options: {
    to: { type: 'string', value: 'STAGE|SHARE', help: 'there instead, e.g. live, or 10% of the clients' },
    force: { type: 'boolean', help: `without evidence; needs --reason. ${evidenceRule}` },
    reason: reasonOption,
    print: {
      type: 'boolean',
      help: 'print the edit of the file as a patch, do not write it; the gateway moves all the same',
    },
    ...askingOptions,
  },
  run: asking(run),
}

/** The file as it is, and as it would be. */
interface Edit {
  readonly file: string
  readonly before: string
  readonly after: string
}

async function run(ask: Ask, telling: Telling): Promise<number> {
  const { given, world } = telling
  const place = placeOf(given.operands[0])
  const now = await ask.get<RolloutView>(place)
  if (!now.ok) return refuse(now, telling)
  const to = given.value('to')
  const target = to === undefined ? now.body.next : targetOf(to)
  // Without a target, or with a canary of nobody knows whom, the gateway knows why, and says it.
  const edit = target && to !== 'canary' && (await editOf(now.body.key, target, telling))
  if (edit === 'refused' || (edit && !(await isTaken(edit, ask, telling)))) return 1
  const [force, reason] = [given.values('force').length > 0, given.value('reason')]
  const promoted = await ask.post<RolloutView>(`${place}/promote`, { to: target && wordsOf(target), force, reason })
  if (!promoted.ok) return refuse(promoted, telling)
  const { key, effective } = promoted.body
  if (!given.isJson) world.print(`${key}: ${standingText(now.body.effective)} → ${standingText(effective)}`)
  const written = edit ? await writeDown(edit, ask, telling) : { written: false, code: 0 }
  if (given.isJson) world.print(JSON.stringify({ rollout: promoted.body, file: written }))
  return written.code
}

/** What is neither a share nor a stage the gateway refuses. */
function targetOf(words: string): StandingView {
  return words.endsWith('%') ? { stage: 'canary', share: words } : { stage: words as StandingView['stage'], share: '' }
}

function wordsOf({ stage, share }: StandingView): string {
  return stage === 'canary' && share !== '' ? share : stage
}

/** @returns undefined when the file is not here to be edited */
async function editOf(
  rollout: string,
  target: StandingView,
  { given, world }: Telling,
): Promise<Edit | 'refused' | undefined> {
  const file = configFileOf(given, world)
  const before = await readFile(file, 'utf8').catch((thrown: unknown) => thrown)
  if (typeof before !== 'string') {
    if (!isFileFault(before)) throw before
    world.complain(
      `${file} cannot be read here: set "${standingText(target)}" where it is kept; until then the promotion holds by itself`,
    )
    return undefined
  }
  const { stage, share } = target
  const edited = editStanding(before, { rollout, stage, share: stage === 'canary' ? share : undefined })
  if ('text' in edited) return { file, before, after: edited.text }
  refuseEdit(`${file} cannot be edited, so nothing was done: ${edited.problem}`, { given, world })
  return 'refused'
}

/** Whether the gateway would take it, and it is this edit alone. It is asked, for it knows its own environment. */
async function isTaken({ file, after }: Edit, ask: Ask, telling: Telling): Promise<boolean> {
  const planned = await ask.post<Plan>('/plan', after)
  if (!planned.ok) {
    refuse(planned, telling)
    return false
  }
  const { accepted, problems, warnings } = planned.body
  const others = otherEdits(planned.body)
  const isMore = others.length > 0 && telling.given.values('print').length === 0
  if (!accepted) refuseEdit(`${file} with this edit would be refused, so nothing was done`, telling, { file, problems })
  else if (isMore)
    refuseEdit(
      `${file} differs from what is served in more than this, so nothing was done: ${others.join(', ')}; name the gateway's own file (--config), or have the edit printed (--print)`,
      telling,
    )
  else for (const warning of warnings) telling.world.complain(`warning: ${warning}`)
  return accepted && !isMore
}

/** Says why nothing was done, and to a script in JSON too, as of what the gateway refuses. */
function refuseEdit(
  detail: string,
  { given, world }: Telling,
  of?: { readonly file: string; readonly problems: Plan['problems'] },
): void {
  if (given.isJson) world.print(JSON.stringify({ title: 'Nothing was done.', detail, problems: of?.problems }))
  world.complain(of ? `${formatProblems(of.file, of.problems)}\n${detail}` : detail)
}

/** The gateway follows its file: what it does not serve is either another file, or one that it has refused. */
function otherEdits({ difference }: Plan): string[] {
  if (!difference) return []
  const isOther = (key: string) => !/(^|\.)(stage|share)$/.test(key)
  return [
    ...[...difference.added, ...difference.removed].map((name) => `route ${name}`),
    ...difference.changed.flatMap(({ name, keys }) => keys.filter(isOther).map((key) => `${key} of ${name}`)),
    ...difference.otherKeys.filter(isOther),
  ]
}

interface Written {
  readonly written: boolean
  readonly patch?: string
  readonly problem?: string
  readonly code: 0 | 1
}

/** In place, or else as a patch. */
async function writeDown(edit: Edit, ask: Ask, { given, world }: Telling): Promise<Written> {
  const { file, before, after } = edit
  if (before === after) return { written: true, code: 0 }
  const isPrinted = given.values('print').length > 0
  const outcome = isPrinted ? undefined : await writeInPlace(file, before, after)
  if (outcome?.written) return confirm(edit, ask, { given, world })
  const patch = unifiedPatch(file, before, after)
  const problem = outcome?.problem
  if (problem !== undefined)
    world.complain(`${file} was not edited: ${problem}; until it says the same, the promotion holds by itself`)
  if (!given.isJson) world.print(patch.trimEnd())
  const isExpected = isPrinted || outcome?.because === 'readOnly'
  return { written: false, patch, ...(problem !== undefined && { problem }), code: isExpected ? 0 : 1 }
}

/** Whether the gateway has taken over what was written. */
async function confirm({ file }: Edit, ask: Ask, { given, world }: Telling): Promise<Written> {
  const reloaded = await ask.post<ReloadResult>('/reload')
  const view = await ask.get<RolloutView>(placeOf(given.operands[0]))
  const isServed = view.ok && view.body.effective.why !== 'advance'
  if (reloaded.ok && isServed) {
    if (!given.isJson) world.print(`${file} says so too, revision ${reloaded.body.revision}`)
    return { written: true, code: 0 }
  }
  const problem = `the gateway does not serve ${file} as it is now (banyan status); until its file says the same, the promotion holds by itself`
  world.complain(problem)
  return { written: true, problem, code: 1 }
}
