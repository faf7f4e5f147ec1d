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
  /** The longest row of failures within the last two seconds; who leaves early neither adds to it nor ends it. */
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
    failuresInARow: (side) => sides[side].failuresInARow(now()),
    span: (side, ms) => sides[side].span(ms, now()),
    reset() {
      for (const side of Object.values(sides)) side.reset()
    },
  }
}

function createSide(windowMs: number) {
  const fine = createRing(fineMs, Math.ceil(windowMs / fineMs) + 1)
  const coarse = createRing(coarseMs, longestSpanMs / coarseMs + 1)
  const rings = [fine, coarse]
  /** Used again for each Outcome, so that none costs an allocation. */
  const places: number[] = []
  const row = createRow()
  return {
    observe(outcome: Outcome, nowMs: number) {
      const how = howEnded(outcome)
      if (how === 'failed') row.grow(nowMs)
      if (how === 'fine') row.end()
      places.length = 0
      if (how !== 'spoiled') findPlaces(outcome, how, places)
      for (const ring of rings) ring.increment(places, nowMs)
    },
    increment(index: number, nowMs: number) {
      for (const ring of rings) ring.increment([index], nowMs)
    },
    failuresInARow: (nowMs: number) => row.longest(nowMs),
    span: (ms: number, nowMs: number) => (ms <= windowMs ? fine : coarse).span(ms, nowMs),
    reset() {
      row.reset()
      for (const ring of rings) ring.reset()
    },
  }
}

/** A row of failures; one that has ended is remembered until a guard that looks each second must have seen it. */
function createRow() {
  let length = 0
  let longest = 0
  let longestAtMs = 0
  const isRecent = (nowMs: number) => nowMs - longestAtMs <= 2 * fineMs
  return {
    grow(nowMs: number) {
      length++
      if (length < longest && isRecent(nowMs)) return
      longest = length
      longestAtMs = nowMs
    },
    end() {
      length = 0
    },
    /** A row that goes on counts however old its newest failure is. */
    longest: (nowMs: number) => Math.max(length, isRecent(nowMs) ? longest : 0),
    reset() {
      length = 0
      longest = 0
    },
  }
}

const leaving: readonly string[] = ['clientGone', 'requestBodyBroken', 'clientDeadlinePassed']

type How = 'fine' | 'failed' | 'abandoned' | 'spoiled'

/** `spoiled` by the client otherwise than by leaving (a malformed body, one too slow): that says nothing about the side. */
function howEnded({ end, status, blame, failure }: Outcome): How {
  if (end === 'noAnswer' && blame === 'client') return isLeaving(failure) ? 'abandoned' : 'spoiled'
  if (end === 'noAnswer' || end === 'upstreamBroke') return 'failed'
  return status !== undefined && status >= 500 ? 'failed' : 'fine'
}

/** Who goes while sending the request leaves as much as who goes while waiting, or who has said how long. */
function isLeaving(failure: Outcome['failure']): boolean {
  return failure === undefined || leaving.includes(failure)
}

/** Which of its side's counts an Outcome adds to. */
function findPlaces({ status, totalMs, firstByteMs }: Outcome, how: How, places: number[]): void {
  places.push(place.requests)
  if (how === 'failed') places.push(place.failures)
  if (how === 'abandoned') places.push(place.abandoned)
  if (status !== undefined) places.push(place.statuses + classOf(status) - 1)
  // Whoever left has waited for at least that long.
  const latencyMs = how === 'abandoned' ? totalMs : firstByteMs
  if (latencyMs !== undefined) places.push(place.latencies + binOf(latencyMs))
}

function classOf(status: number): number {
  return Math.min(Math.max(Math.floor(status / 100), 1), 5)
}

/** Slots of equal time, the oldest overwritten by the newest: nothing is allocated once it stands. */
function createRing(slotMs: number, slots: number) {
  const counts = new Uint32Array(slots * countsLength)
  /** Which slot since the beginning of time each one holds. */
  const numbers = new Float64Array(slots).fill(-1)
  /** The index at which the present slot begins. */
  function startAt(nowMs: number): number {
    const number = Math.floor(nowMs / slotMs)
    const slot = number % slots
    const start = slot * countsLength
    if (numbers[slot] !== number) {
      counts.fill(0, start, start + countsLength)
      numbers[slot] = number
    }
    return start
  }

  return {
    increment(places: readonly number[], nowMs: number): void {
      const start = startAt(nowMs)
      for (const index of places) counts[start + index] = (counts[start + index] ?? 0) + 1
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
