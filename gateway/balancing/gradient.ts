// How many requests an upstream takes at a time before its answers slow down: after the gradient controller of Envoy's adaptive
// concurrency filter (limit × calm latency / latency now, and headroom), which measures the calm latency anew each minute while
// less is under way. Here it is half as much, not almost nothing: whoever is not busy does not notice.
// The dangers it guards against: a baseline that follows an overload upwards until the overload passes for normal (Netflix's
// Gradient2), and a limit that falls to nothing while nobody asks.
import type { Answered } from '../model.ts'

/** Latency is judged by so many answers at least, and over so much time. */
const fewest = 10
const windowMs = 500
/** Of the newest of a window. */
const mostKept = 256
/** So much above the calm latency is no queue at the upstream (Envoy's buffer), and so much may be our own lateness. */
const tolerance = 1.25
const toleranceMs = 2
/** One window takes no more away: it may be the one that lies. */
const steepest = 0.5
/** The calm latency is that of so many, or of those that came in the time that there is for it. */
const calmSamples = 50
const measuringMs = 5_000
/** How long it is believed; up to so much longer by chance, so that several gateways do not measure in one moment. */
const believedMs = 60_000
const jitter = 0.15
/** Not even so much less than at the measurement before: it does not fall any more. */
const settled = 0.9

export interface Bounds {
  readonly least: number
  readonly most: number
}

export interface GradientParts {
  /** Monotonic milliseconds. */
  now(): number
  /** In [0, 1). */
  random(): number
  /** They change with the fleet. */
  bounds(): Bounds
  /** Where it begins. */
  readonly initial: number
}

export class Gradient {
  readonly #parts: GradientParts
  readonly #tookMs: number[] = []
  #limit: number
  /** Answers of this window. */
  #count = 0
  #windowStartedAt: number
  /** The most that were under way at a time, of the requests of this window. */
  #peak = 0
  #calmMs: number | undefined
  #staleAt = 0
  /** Since when the calm latency is being measured. */
  #measuringSince: number | undefined

  constructor(parts: GradientParts) {
    this.#parts = parts
    this.#limit = parts.initial
    this.#windowStartedAt = parts.now()
    this.#measuringSince = this.#windowStartedAt
  }

  /** Requests that may be under way now. */
  get most(): number {
    const limit = this.#bounded(this.#limit)
    return Math.floor(this.#measuringSince === undefined ? limit : this.#bounded(limit / 2))
  }

  /** Without a queue; undefined before it was measured. */
  get calmMs(): number | undefined {
    return this.#calmMs
  }

  /** An answer has begun. */
  add({ tookMs, startedAt, active }: Answered): void {
    // What was sent before the measurement met those that were under way then.
    if (this.#measuringSince !== undefined && startedAt < this.#measuringSince) return
    this.#tookMs[this.#count % mostKept] = tookMs
    this.#count += 1
    this.#peak = Math.max(this.#peak, active)
    const nowMs = this.#parts.now()
    if (this.#measuringSince === undefined) this.#judge(nowMs)
    else this.#measure(nowMs - this.#measuringSince, nowMs)
  }

  #measure(elapsedMs: number, nowMs: number): void {
    if (this.#count < (elapsedMs < measuringMs ? calmSamples : fewest)) return
    const before = this.#calmMs ?? Number.POSITIVE_INFINITY
    this.#calmMs = middleOf(this.#tookMs)
    // As long as it falls, half of the limit may have been enough for a queue: then it is measured again, from a lower one.
    const isSettled = this.#calmMs > before * settled
    this.#staleAt = isSettled ? nowMs + believedMs * (1 + jitter * this.#parts.random()) : nowMs
    this.#measuringSince = undefined
    this.#openWindow(nowMs)
  }

  #judge(nowMs: number): void {
    if (this.#count < fewest || nowMs - this.#windowStartedAt < windowMs) return
    const limit = this.#bounded(this.#limit)
    // Where less was under way than might have been, the limit has slowed nobody down, and need not be higher.
    if (this.#peak > limit / 2) this.#limit = this.#bounded(this.#adjusted(limit, middleOf(this.#tookMs)))
    // At the least there is no queue of ours left to take away: so this is the calm latency now.
    if (nowMs >= this.#staleAt || this.#limit <= this.#parts.bounds().least) this.#measuringSince = nowMs
    this.#openWindow(nowMs)
  }

  #adjusted(limit: number, tookMs: number): number {
    const allowedMs = (this.#calmMs ?? tookMs) * tolerance + toleranceMs
    const gradient = allowedMs / Math.max(tookMs, 0.01)
    const headroom = Math.sqrt(limit) * Math.min(1, (gradient - 1) / (tolerance - 1))
    return gradient < 1 ? limit * Math.max(steepest, gradient) : limit + headroom
  }

  #openWindow(nowMs: number): void {
    this.#tookMs.length = 0
    this.#count = 0
    this.#peak = 0
    this.#windowStartedAt = nowMs
  }

  #bounded(limit: number): number {
    const { least, most } = this.#parts.bounds()
    return Math.min(most, Math.max(least, limit))
  }
}

/** The mean of the middle half: few slow routes do not move it, and it sees a queue that fewer than half of them stand in. */
function middleOf(numbers: readonly number[]): number {
  const quarter = numbers.length >> 2
  const middle = numbers.toSorted((a, b) => a - b).slice(quarter, numbers.length - quarter)
  return middle.reduce((sum, number) => sum + number, 0) / Math.max(1, middle.length)
}
