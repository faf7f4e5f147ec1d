// The verdict on a candidate: what its guard's rules found, and whether going back would help.
// The danger it guards against: no data taken for a pass, and a rollback onto a side that is the worse one.
import type { GuardSettings } from '../model.ts'
import { countOf } from './counts.ts'
import type { Finding, Rule } from './finding.ts'
import {
  type Case,
  chanceOfAnError,
  failed,
  harmed,
  maxErrorShare,
  maxMismatchShare,
  moreAbandoned,
  moreErrorsThanOld,
  spanWithMore,
  statusShift,
} from './shareRules.ts'
import { slowerAtP50, slowerAtP95 } from './slower.ts'
import { judgedSpan, type Span } from './spans.ts'
import { newcombe, shareOf } from './statistics.ts'

/** What the candidate is compared with. A frozen baseline is not of the same time; with `none` only absolute rules speak. */
export type ControlSource = 'oldSide' | 'holdback' | 'reverseComparison' | 'frozenBaseline' | 'none'

export interface Judged {
  readonly guard: GuardSettings
  /** Ascending, as `spansOf` gives them; of all replicas. */
  readonly spans: readonly Span[]
  readonly control: ControlSource
  /** The most that any replica counts. */
  readonly failuresInARow: { readonly candidate: number; readonly control: number }
}

/** `alarm`: something is wrong, and going back would not help, since the old side is the worse one. */
export type Result = 'pass' | 'fail' | 'inconclusive' | 'alarm'

export interface Reason {
  readonly why: Rule | 'fewRequests' | 'noControl' | 'oldSideWorse'
  readonly sentence: string
}

/** Plain JSON. */
export interface Evidence {
  readonly control: ControlSource
  /** In the window, or what it was stretched to. */
  readonly spanMs: number
  readonly requests: { readonly candidate: number; readonly control: number }
  readonly findings: readonly Finding[]
}

export interface Verdict {
  readonly result: Result
  /** Empty for a pass. */
  readonly reasons: readonly Reason[]
  readonly evidence: Evidence
}

export function judge(judged: Judged): Verdict {
  const hasControl = judged.control !== 'none'
  const given: Case = { guard: judged.guard, spans: judged.spans, hasControl }
  const findings = findingsOf(judged, given)
  // How the old side did before says nothing about how it does now.
  const worseOld = hasControl && judged.control !== 'frozenBaseline' ? reasonsOfAWorseOldSide(given) : []
  const broken = findings.filter(({ says }) => says === 'broken')
  const failing = broken.filter((finding) => !wouldNotHelp(finding, judged, given))
  const decided = (result: Result, reasons: readonly Reason[]) => ({
    result,
    reasons,
    evidence: evidenceOf(judged, given, findings),
  })
  if (failing.length > 0) return decided('fail', failing.map(reasonOf))
  if (broken.length + worseOld.length > 0) return decided('alarm', [...worseOld, ...broken.map(reasonOf)])
  const doubts = doubtsOf(judged, given, findings)
  return decided(doubts.length > 0 ? 'inconclusive' : 'pass', doubts)
}

function findingsOf(judged: Judged, given: Case): readonly Finding[] {
  const compared = [moreErrorsThanOld, statusShift, slowerAtP50, slowerAtP95, moreAbandoned]
  return [
    ...(given.hasControl ? compared : []).map((rule) => rule(given)),
    ...[maxErrorShare(given), maxMismatchShare(given), breaker(given), failuresInARow(judged)],
  ].filter((finding) => finding !== undefined)
}

/** Speaks below `minRequests`: what opened the breaker was evidence enough for it. */
function breaker({ spans, guard }: Case): Finding {
  const window = spans.find(({ spanMs }) => spanMs >= guard.windowMs)
  const candidate = window ? countOf(window.candidate, 'breakerOpened') : 0
  const sentence = candidate > 0 ? 'the breaker of the new side has opened' : 'the breaker of the new side is closed'
  return { rule: 'breaker', says: candidate > 0 ? 'broken' : 'kept', candidate, allowed: 0, sentence }
}

/** Speaks below `minRequests` too. */
function failuresInARow({ guard, spans, failuresInARow: { candidate, control } }: Judged): Finding {
  const allowed = Math.max(guard.failuresInARow, usualRow(spans, guard))
  const sentence = `${candidate} requests in a row failed at the new side; ${allowed} are too many`
  const says = candidate >= allowed ? 'broken' : 'kept'
  return { rule: 'failuresInARow', says, candidate, control, allowed, sentence }
}

/** How long a row must be to be no chance where the old side fails as much of its requests as it does. */
function usualRow(spans: readonly Span[], guard: GuardSettings): number {
  const shares = spans
    .map(({ control }) => failed(control))
    .filter(({ of }) => of >= guard.minRequests)
    .map(shareOf)
  // Where all fail no row is long enough; 99 % keeps it a number, of some 1 800.
  return Math.ceil(Math.log(chanceOfAnError) / Math.log(Math.min(0.99, Math.max(0, ...shares))))
}

function reasonsOfAWorseOldSide(given: Case): readonly Reason[] {
  const isWorse = spanWithMore('control', harmed, given.guard.moreErrorsThanOld, given)
  return isWorse ? [{ why: 'oldSideWorse', sentence: 'the old side fails more of its requests than the new one' }] : []
}

/** How sure it must be that the old side is the worse one; less than for a rollback, for doing nothing is no move. */
const zOfWorse = 2

/** Whether the old side is worse than what the finding says of the new one. */
function wouldNotHelp(finding: Finding, { failuresInARow, guard }: Judged, { spans, hasControl }: Case): boolean {
  if (!hasControl) return false
  // Both fail, so what fails is behind both of them.
  if (finding.rule === 'failuresInARow' && failuresInARow.control >= guard.failuresInARow) return true
  if (finding.rule === 'maxErrorShare' && (finding.control ?? 0) > finding.allowed) return true
  const span = spans.find(({ spanMs }) => spanMs >= (finding.spanMs ?? guard.windowMs))
  if (!span) return false
  const worse = newcombe(harmed(span.control), harmed(span.candidate), zOfWorse).low
  if (worse <= guard.moreErrorsThanOld) return false
  // What the candidate fails is in the difference already. Where it answers otherwise, an error of the old side weighs double.
  const isOtherHarm = finding.rule === 'statusShift' || finding.rule === 'maxMismatchShare'
  return !isOtherHarm || 2 * worse > (finding.harm ?? 0) - finding.allowed
}

/** Why it is no pass. */
function doubtsOf(judged: Judged, given: Case, findings: readonly Finding[]): readonly Reason[] {
  const { guard, control } = judged
  if (!judgedSpan(given.spans, guard, given.hasControl)) {
    const { candidate, control: old } = evidenceOf(judged, given, []).requests
    const seen = given.hasControl ? `${candidate} at the new side and ${old} at the old one` : `${candidate}`
    return [{ why: 'fewRequests', sentence: `${guard.minRequests} requests are needed; there were ${seen}` }]
  }
  const doubts = findings.filter(({ says }) => says === 'doubtful' || says === 'unknown').map(reasonOf)
  if (control !== 'none' || guard.maxErrorShare !== undefined) return doubts
  const sentence = 'there is no old side to compare with; set maxErrorShare, or a holdback'
  return [{ why: 'noControl', sentence }, ...doubts]
}

function reasonOf({ rule, sentence }: Finding): Reason {
  return { why: rule, sentence }
}

function evidenceOf({ guard, control, spans }: Judged, { hasControl }: Case, findings: readonly Finding[]): Evidence {
  const span = judgedSpan(spans, guard, hasControl) ?? spans.at(-1)
  return {
    control,
    spanMs: span?.spanMs ?? guard.windowMs,
    requests: {
      candidate: span ? countOf(span.candidate, 'requests') : 0,
      control: span ? countOf(span.control, 'requests') : 0,
    },
    findings,
  }
}
