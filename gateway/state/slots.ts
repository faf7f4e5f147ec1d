// Counts in slots of ten seconds, for up to an hour: the oldest overwritten by the newest.
// The danger it guards against: a count that costs an allocation for each request, or that grows with time.

export const slotMs = 10_000
const slotsOfAnHour = 360
const slotsOfAMinute = 6

/** One more than is asked for: the newest slot is under way. */
export const anHour = slotsOfAnHour + 1
export const aMinute = slotsOfAMinute + 1

export class Slots {
  readonly #counts: Uint32Array
  /** Which slot since the beginning of time each one holds. */
  readonly #numbers: Float64Array
  readonly #width: number
  readonly #bornMs: number

  /** @param width how many counts each slot has. @param nowMs monotonic */
  constructor(slots: number, width: number, nowMs: number) {
    this.#counts = new Uint32Array(slots * width)
    this.#numbers = new Float64Array(slots).fill(-1)
    this.#width = width
    this.#bornMs = nowMs
  }

  increment(index: number, nowMs: number): void {
    const number = Math.floor(nowMs / slotMs)
    const slot = number % this.#numbers.length
    const start = slot * this.#width
    if (this.#numbers[slot] !== number) {
      this.#counts.fill(0, start, start + this.#width)
      this.#numbers[slot] = number
    }
    this.#counts[start + index] = (this.#counts[start + index] ?? 0) + 1
  }

  /** Of so many of the newest slots. */
  sum(index: number, slots: number, nowMs: number): number {
    const newest = Math.floor(nowMs / slotMs)
    let sum = 0
    for (let number = newest; number > newest - slots; number--) sum += this.#at(index, number)
    return sum
  }

  /** A rate over at most that many of the newest slots; over less, but one slot, for what was not counted that long. */
  perMinute(index: number, slots: number, nowMs: number): number {
    const spanMs = Math.min((slots - 1) * slotMs + (nowMs % slotMs), nowMs - this.#bornMs)
    return (this.sum(index, slots, nowMs) * 60_000) / Math.max(spanMs, slotMs)
  }

  /** The most in any minute of whole slots. */
  mostPerMinute(index: number, nowMs: number): number {
    const newest = Math.floor(nowMs / slotMs)
    let [most, sum] = [0, 0]
    for (let number = newest - this.#numbers.length + 1; number < newest; number++) {
      sum += this.#at(index, number) - this.#at(index, number - slotsOfAMinute)
      most = Math.max(most, sum)
    }
    return most
  }

  #at(index: number, number: number): number {
    if (number < 0) return 0
    const slot = number % this.#numbers.length
    return this.#numbers[slot] === number ? (this.#counts[slot * this.#width + index] ?? 0) : 0
  }
}
