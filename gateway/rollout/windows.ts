// Sliding windows over what both sides of one rollout answer: seconds for the newest, minutes for up to an hour.
// The danger it guards against: a candidate that looks quick because the clients that it kept waiting have left.
import type { Outcome, Side } from '../model.ts'
import { binOf, type Counts, countsLength, noCounts, place } from './counts.ts'

const fineMs = 1_000
const coarseMs = 60_000
/** What is older is forgotten: a rollout that gets fewer than `minRequests` in it stays inconclusive. */
export const longestSpanMs = 3_600_000

export interface Windows {
  /** Only Outcomes of role primary; those of a reverse comparison (role shadow, the old side) as `old`. */
  observe(side: Side, outcome: Outcome): void
  /** Two answers to the same request were compared. */
  compared(isSame: boolean): void
  /** The breaker of the new side's upstream has opened. */
  breakerOpened(): void
  /** How many of the side's newest Outcomes in a row are failures; who leaves early neither adds to them nor ends them. */
  failuresInARow(side: Side): number
  /** @param ms up to `windowMs` in whole seconds, beyond in whole minutes; the newest one is under way */
  span(side: Side, ms: number): Counts
  /** Forgets everything: another stage or share has begun. */
  reset(): void
}

/** @param now monotonic milliseconds */
export function createWindows({ windowMs, now }: { windowMs: number; now: () => number }): Windows {
  const sides = { old: createSide(windowMs), new: createSide(windowMs) }
  return {
    observe: (side, outcome) => sides[side].observe(outcome, now()),
    compared(isSame) {
      sides.new.increment(place.compared, now())
      if (!isSame) sides.new.increment(place.mismatched, now())
    },
    breakerOpened: () => sides.new.increment(place.breakerOpened, now()),
    failuresInARow: (side) => sides[side].failuresInARow(),
    span: (side, ms) => sides[side].span(ms, now()),
    reset() {
      for (const side of Object.values(sides)) side.reset()
    },
  }
}

function createSide(windowMs: number) {
  const fine = createRing(fineMs, Math.ceil(windowMs / fineMs) + 1)
  const coarse = createRing(coarseMs, longestSpanMs / coarseMs + 1)
  let failuresInARow = 0

  function observe(outcome: Outcome, nowMs: number): void {
    const isAbandoned = outcome.end === 'noAnswer' && outcome.blame === 'client'
    // What else the client spoiled (a malformed body, one too slow) says nothing about the side.
    if (isAbandoned && !hasLeft(outcome)) return
    const isFailure = !isAbandoned && hasFailed(outcome)
    if (!isAbandoned) failuresInARow = isFailure ? failuresInARow + 1 : 0
    // Whoever left has waited for at least that long.
    const latencyMs = isAbandoned ? outcome.totalMs : outcome.firstByteMs
    for (const ring of [fine, coarse]) {
      const at = ring.at(nowMs)
      ring.increment(at + place.requests)
      if (isFailure) ring.increment(at + place.failures)
      if (isAbandoned) ring.increment(at + place.abandoned)
      if (outcome.status !== undefined) ring.increment(at + place.statuses + classOf(outcome.status) - 1)
      if (latencyMs !== undefined) ring.increment(at + place.latencies + binOf(latencyMs))
    }
  }

  return {
    observe,
    increment(index: number, nowMs: number) {
      for (const ring of [fine, coarse]) ring.increment(ring.at(nowMs) + index)
    },
    failuresInARow: () => failuresInARow,
    span: (ms: number, nowMs: number) => (ms <= windowMs ? fine : coarse).span(ms, nowMs),
    reset() {
      failuresInARow = 0
      fine.reset()
      coarse.reset()
    },
  }
}

function hasLeft({ failure }: Outcome): boolean {
  return failure === undefined || failure === 'clientGone' || failure === 'requestBodyBroken'
}

function hasFailed({ end, status }: Outcome): boolean {
  return end === 'noAnswer' || end === 'upstreamBroke' || (status !== undefined && status >= 500)
}

function classOf(status: number): number {
  return Math.min(Math.max(Math.floor(status / 100), 1), 5)
}

/** Slots of equal time, the oldest overwritten by the newest: nothing is allocated once it stands. */
function createRing(slotMs: number, slots: number) {
  const counts = new Uint32Array(slots * countsLength)
  /** Which slot since the beginning of time each one holds. */
  const numbers = new Float64Array(slots).fill(-1)
  return {
    /** The index at which the present slot begins. */
    at(nowMs: number): number {
      const number = Math.floor(nowMs / slotMs)
      const slot = number % slots
      const start = slot * countsLength
      if (numbers[slot] !== number) {
        counts.fill(0, start, start + countsLength)
        numbers[slot] = number
      }
      return start
    },
    increment(index: number): void {
      counts[index] = (counts[index] ?? 0) + 1
    },
    span(ms: number, nowMs: number): Counts {
      const sum = [...noCounts]
      const newest = Math.floor(nowMs / slotMs)
      for (let number = newest; number > newest - Math.ceil(ms / slotMs) && number >= 0; number--) {
        const slot = number % slots
        if (numbers[slot] !== number) continue
        const start = slot * countsLength
        for (let index = 0; index < countsLength; index++) sum[index] = (sum[index] ?? 0) + (counts[start + index] ?? 0)
      }
      return sum
    },
    reset: () => void numbers.fill(-1),
  }
}
