// Whether the new side is slower than the old one, at the middle (p50) and at the tail (p95) of their latencies.
// The danger it guards against: a ratio of two small numbers, or of two percentiles that a handful of requests made.
import { countOf, latenciesOf } from './counts.ts'
import { type Finding, milliseconds, seconds } from './finding.ts'
import type { Case } from './shareRules.ts'
import { judgedSpan, type Span } from './spans.ts'
import { type Quantile, quantile } from './statistics.ts'

/** For each of the two bounds that must not meet: together they are as far apart as 5 standard errors of their difference. */
const z = 3.5
/** Latencies come in bursts (a collection of garbage, a cold cache): shorter spans would judge one of them. */
const shortestMs = 10_000

export const slowerAtP50 = (given: Case) => slower('slowerAtP50', 0.5, given)
export const slowerAtP95 = (given: Case) => slower('slowerAtP95', 0.95, given)

function slower(rule: 'slowerAtP50' | 'slowerAtP95', share: number, given: Case): Finding {
  const { guard, spans } = given
  const { times, andMs } = guard.slowerThanOld
  const limit = (ms: number) => Math.max(ms * times, ms + andMs)
  const broken = spans.find((span) => {
    if (span.spanMs < Math.min(shortestMs, guard.windowMs) || !hasEnough(span, given)) return false
    const both = quantilesOf(span, share)
    return both !== undefined && both.candidate.low > limit(both.control.high)
  })
  const span = broken ?? judgedSpan(spans, guard, given.hasControl)
  const both = span && quantilesOf(span, share)
  if (!both) return { rule, says: 'unknown', allowed: times, sentence: 'too few latencies' }
  const [mine, theirs] = [both.candidate.estimate, both.control.estimate]
  const at = `p${share * 100}`
  return {
    rule,
    says: broken ? 'broken' : mine > limit(theirs) ? 'doubtful' : 'kept',
    spanMs: span.spanMs,
    candidate: mine,
    control: theirs,
    allowed: limit(theirs),
    sentence: `the new side's ${at} is ${milliseconds(mine)}, the old side's ${milliseconds(theirs)}, in ${seconds(span.spanMs)}; ${milliseconds(limit(theirs))} are allowed`,
  }
}

function hasEnough({ candidate, control }: Span, { guard }: Case): boolean {
  return [candidate, control].every((counts) => countOf(counts, 'requests') >= guard.minRequests)
}

function quantilesOf(
  { candidate, control }: Span,
  share: number,
): { candidate: Quantile; control: Quantile } | undefined {
  const mine = quantile(latenciesOf(candidate), share, z)
  const theirs = quantile(latenciesOf(control), share, z)
  return mine && theirs ? { candidate: mine, control: theirs } : undefined
}
