// The rules about shares of requests, each against the old side at the same time or against an absolute bound.
// The danger they guard against: a rollback by chance, after a day in which one looked every second; so three things must hold.
import type { GuardSettings } from '../model.ts'
import { type Counts, countOf, statusesOf } from './counts.ts'
import { type Finding, percent, type Rule, seconds } from './finding.ts'
import { judgedSpan, type Span, usualOf } from './spans.ts'
import { chanceOfSoMany, chanceOfSoUneven, missesOf, newcombe, type Part, shareOf } from './statistics.ts'

export interface Case {
  readonly guard: GuardSettings
  readonly spans: readonly Span[]
  readonly hasControl: boolean
}

/** Beside what is usual for the other side: with some ten questions each second still less than one error in a month. */
export const chanceOfAnError = 1e-8
/** Beside the other side at the same time, which may have few requests: something that happens to both is no difference. */
const chanceAtTheSameTime = 5e-4
/** How sure it must be that the difference exceeds what is allowed, in standard errors. */
const zOfTheMargin = 2.5
/** An absolute bound is asked about once, without another side's chance. */
const chanceAboveABound = 1e-6

/** What is counted, and among how many. */
type Count = (counts: Counts) => Part

export const failed: Count = (counts) => ({ count: countOf(counts, 'failures'), of: countOf(counts, 'requests') })
const abandoned: Count = (counts) => ({ count: countOf(counts, 'abandoned'), of: countOf(counts, 'requests') })
/** Whoever got nothing good. */
export const harmed: Count = (counts) => ({
  count: failed(counts).count + abandoned(counts).count,
  of: countOf(counts, 'requests'),
})
/** 5xx are left out: they are errors already, and on the old side they would make a sound candidate look different. */
const withClass = (statusClass: number): Count => {
  return (counts) => ({
    count: statusesOf(counts, statusClass),
    of: [1, 2, 3, 4].reduce((sum, each) => sum + statusesOf(counts, each), 0),
  })
}

/** Whether `more` of the two sides has, in some span, for certain more of it by over `margin`. @returns that span */
export function spanWithMore(more: 'candidate' | 'control', count: Count, margin: number, given: Case) {
  const { spans, guard } = given
  const less = more === 'candidate' ? 'control' : 'candidate'
  const usual = usualOf(spans, less, guard)
  return spans.find((span) => {
    const [mine, theirs] = [count(span[more]), count(span[less])]
    const theirUsual = count((usual && usual.spanMs > span.spanMs ? usual : span)[less])
    return (
      countOf(span[more], 'requests') >= guard.minRequests &&
      theirUsual.of >= guard.minRequests &&
      chanceOfSoUneven(mine, theirUsual) < chanceOfAnError &&
      newcombe(mine, theirUsual, zOfTheMargin).low > margin &&
      chanceOfSoUneven(mine, theirs) < chanceAtTheSameTime
    )
  })
}

export function moreErrorsThanOld(given: Case): Finding {
  return more(
    { rule: 'moreErrorsThanOld', what: 'failed', count: failed, margin: given.guard.moreErrorsThanOld },
    given,
  )
}

export function moreAbandoned(given: Case): Finding {
  const what = 'were left by their client before an answer'
  return more({ rule: 'moreAbandoned', what, count: abandoned, margin: given.guard.moreAbandoned }, given)
}

/** The class that differs most, in either direction: 404 for all is as wrong as 200 for whom the old side refuses. */
export function statusShift(given: Case): Finding {
  const margin = given.guard.statusShift
  const findings = [1, 2, 3, 4].flatMap((statusClass) => {
    const count = withClass(statusClass)
    const misses: Count = (counts) => missesOf(count(counts))
    return [count, misses].map((each, isMiss) => {
      const what = `were answered with ${isMiss ? 'another class than ' : ''}${statusClass}xx`
      return more({ rule: 'statusShift', what, count: each, margin }, given)
    })
  })
  return findings.reduce((worst, finding) => (weightOf(finding) > weightOf(worst) ? finding : worst))
}

function weightOf({ says, harm = 0 }: Finding): number {
  return harm + { broken: 4, doubtful: 2, kept: 0, unknown: -2 }[says]
}

interface Question {
  readonly rule: Rule
  /** Completes "… % of the new side's requests". */
  readonly what: string
  readonly count: Count
  readonly margin: number
}

function more({ rule, what, count, margin }: Question, given: Case): Finding {
  const broken = spanWithMore('candidate', count, margin, given)
  const span = broken ?? judgedSpan(given.spans, given.guard, given.hasControl)
  if (!span) return { rule, says: 'unknown', allowed: margin, sentence: 'too few requests' }
  const [mine, theirs] = [count(span.candidate), count(span.control)]
  const harm = shareOf(mine) - shareOf(theirs)
  return {
    rule,
    says: broken ? 'broken' : harm > margin ? 'doubtful' : 'kept',
    spanMs: span.spanMs,
    candidate: shareOf(mine),
    control: shareOf(theirs),
    allowed: margin,
    harm,
    sentence: `of the new side ${told(mine)} ${what}, of the old side ${told(theirs)}, in ${seconds(span.spanMs)}; ${percent(margin)} more are allowed`,
  }
}

export function maxErrorShare(given: Case): Finding | undefined {
  const max = given.guard.maxErrorShare
  const question = { rule: 'maxErrorShare', what: 'requests failed', count: failed } as const
  return max === undefined ? undefined : above({ ...question, margin: max }, given)
}

export function maxMismatchShare(given: Case): Finding | undefined {
  const max = given.guard.maxMismatchShare
  const count: Count = (counts) => ({ count: countOf(counts, 'mismatched'), of: countOf(counts, 'compared') })
  const question = { rule: 'maxMismatchShare', what: 'compared answers differ', count } as const
  return max === undefined ? undefined : above({ ...question, margin: max }, given)
}

function above({ rule, what, count, margin }: Question, { spans, guard }: Case): Finding {
  const enough = spans.filter((span) => count(span.candidate).of >= guard.minRequests)
  const broken = enough.find((span) => chanceOfSoMany(count(span.candidate), margin) < chanceAboveABound)
  const span = broken ?? enough.find(({ spanMs }) => spanMs >= guard.windowMs)
  if (!span) return { rule, says: 'unknown', allowed: margin, sentence: `too few ${what.split(' ', 2)[0]} ones` }
  const mine = count(span.candidate)
  return {
    rule,
    says: broken ? 'broken' : shareOf(mine) > margin ? 'doubtful' : 'kept',
    spanMs: span.spanMs,
    candidate: shareOf(mine),
    control: shareOf(count(span.control)),
    allowed: margin,
    harm: shareOf(mine),
    sentence: `of the new side ${told(mine)} ${what}, in ${seconds(span.spanMs)}; ${percent(margin)} are allowed`,
  }
}

function told(part: Part): string {
  return `${percent(shareOf(part))} (${part.count} of ${part.of})`
}
