// Traffic for a guard, drawn from a seed, on a frozen clock: a day of it is judged in seconds.
// The danger it guards against: a guard whose false alarms are known by hope alone.
import type { GuardSettings, Outcome, Side } from '../../gateway/model.ts'
import { spansOf } from '../../gateway/rollout/spans.ts'
import { type ControlSource, judge, type Verdict } from '../../gateway/rollout/verdict.ts'
import { createWindows, type Windows } from '../../gateway/rollout/windows.ts'
import { randomFrom } from '../../services/kit/prng.ts'

/** The defaults of routes.yaml. */
export const defaults: GuardSettings = {
  moreErrorsThanOld: 0.01,
  slowerThanOld: { times: 1.5, andMs: 50 },
  statusShift: 0.05,
  moreAbandoned: 0.02,
  minRequests: 100,
  windowMs: 30_000,
  failuresInARow: 5,
}

const attempt = { exchangeId: 'x', route: 'r', upstream: 'u', role: 'primary' } as const

export function answered(status: number, firstByteMs: number): Outcome {
  return { ...attempt, status, firstByteMs, totalMs: firstByteMs + 1, end: 'complete' }
}

export function broken(firstByteMs: number): Outcome {
  const how = { failure: 'upstreamReset', blame: 'upstream', end: 'upstreamBroke' } as const
  return { ...attempt, status: 200, firstByteMs, totalMs: firstByteMs + 1, ...how }
}

export function refused(): Outcome {
  return { ...attempt, failure: 'upstreamRefused', blame: 'upstream', totalMs: 1, end: 'noAnswer' }
}

export function left(afterMs: number): Outcome {
  return { ...attempt, failure: 'clientGone', blame: 'client', totalMs: afterMs, end: 'noAnswer' }
}

/** One side: how much of it, and what each of its requests meets. */
export interface Traffic {
  readonly perSecond: number
  readonly outcome: (random: () => number) => Outcome
}

/** Latencies with a tail: the median 30 ms, the 95th percentile 90 ms. */
export function usualMs(random: () => number): number {
  return 30 * Math.exp(0.668 * normal(random))
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Answers as usual, with a share of errors. */
export function failing(share: number): Traffic['outcome'] {
  return (random) => answered(random() < share ? 500 : 200, usualMs(random))
}

export interface Simulation {
  readonly windows: Windows
  readonly nowMs: () => number
  /** Lets so many seconds go by. @param each is asked after each; true stops. @returns whether it did */
  run(seconds: number, sides: Readonly<Record<Side, Traffic>>, each?: (verdict: Verdict) => boolean): boolean
  judge(): Verdict
}

interface Simulated {
  readonly seed: number
  readonly guard?: Partial<GuardSettings>
  readonly control?: ControlSource
}

export function simulate({ seed, guard: part, control = 'oldSide' }: Simulated): Simulation {
  const random = randomFrom(seed)
  const guard = { ...defaults, ...part }
  // The guard looks at some time within a second of the clock's.
  let nowMs = random() * 1_000
  const windows = createWindows({ windowMs: guard.windowMs, now: () => nowMs })
  const judgeNow = () => {
    const failuresInARow = { candidate: windows.failuresInARow('new'), control: windows.failuresInARow('old') }
    return judge({ guard, spans: spansOf(windows, guard.windowMs), control, failuresInARow })
  }
  const untilNext = (perSecond: number) => (-Math.log(1 - random()) / perSecond) * 1_000

  /** Both sides' requests of one second, in the order of time (Poisson). */
  function second(sides: Readonly<Record<Side, Traffic>>): void {
    const endMs = nowMs + 1_000
    const next = { old: nowMs + untilNext(sides.old.perSecond), new: nowMs + untilNext(sides.new.perSecond) }
    for (;;) {
      const side = next.old < next.new ? 'old' : 'new'
      if (next[side] >= endMs) break
      nowMs = next[side]
      windows.observe(side, sides[side].outcome(random))
      next[side] += untilNext(sides[side].perSecond)
    }
    nowMs = endMs
  }

  return {
    windows,
    nowMs: () => nowMs,
    judge: judgeNow,
    run(seconds, sides, each) {
      for (let done = 0; done < seconds; done++) {
        second(sides)
        if (each?.(judgeNow())) return true
      }
      return false
    },
  }
}
