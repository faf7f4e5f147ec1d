// What a verdict is made from: both sides of a rollout at the same time, over spans that all end now.
// The danger it guards against: a control from another time than the candidate, which hides what happened to both.
import type { GuardSettings } from '../model.ts'
import { add, type Counts, countOf, noCounts } from './counts.ts'
import { longestSpanMs, type Windows } from './windows.ts'

/** Both sides over the newest `spanMs`. */
export interface Span {
  readonly spanMs: number
  readonly candidate: Counts
  readonly control: Counts
}

/** Short spans for what breaks suddenly, long ones for sides with little traffic. Ascending. */
export function spanLengths(windowMs: number): readonly number[] {
  const short = [2_000, 5_000, 10_000].filter((ms) => ms < windowMs)
  const long = [120_000, 600_000, longestSpanMs].filter((ms) => ms > windowMs)
  return [...short, windowMs, ...long]
}

export function spansOf(windows: Windows, windowMs: number): readonly Span[] {
  return spanLengths(windowMs).map((spanMs) => ({
    spanMs,
    candidate: windows.span('new', spanMs),
    control: windows.span('old', spanMs),
  }))
}

/** The sum of what two replicas saw. */
export function addSpans(a: readonly Span[], b: readonly Span[]): readonly Span[] {
  return a.map((span) => {
    const other = b.find(({ spanMs }) => spanMs === span.spanMs)
    if (!other) return span
    return {
      spanMs: span.spanMs,
      candidate: add(span.candidate, other.candidate),
      control: add(span.control, other.control),
    }
  })
}

/** With the same control for every span: a baseline that was frozen, or none at all. */
export function withControl(spans: readonly Span[], control: Counts = noCounts): readonly Span[] {
  return spans.map((span) => ({ ...span, control }))
}

/** The window, stretched where one of the sides had too few requests in it; undefined when an hour holds too few. */
export function judgedSpan(spans: readonly Span[], guard: GuardSettings, hasControl: boolean): Span | undefined {
  return spans.find(
    ({ spanMs, candidate, control }) =>
      spanMs >= guard.windowMs &&
      countOf(candidate, 'requests') >= guard.minRequests &&
      (!hasControl || countOf(control, 'requests') >= guard.minRequests),
  )
}

/** So many times `minRequests` give a side's usual share precisely enough. */
const precise = 10

/** What is usual for one side: the window, stretched to where it tells its share precisely, or all there is. */
export function usualOf(spans: readonly Span[], side: 'candidate' | 'control', guard: GuardSettings): Span | undefined {
  const long = spans.filter(({ spanMs }) => spanMs >= guard.windowMs)
  return long.find((span) => countOf(span[side], 'requests') >= precise * guard.minRequests) ?? long.at(-1)
}
