// How the calls of the last seconds ended, in ten slots of time that are used again and again: counting allocates nothing.
// The danger it guards against: a count that outlives its window, so that an outage of this morning opens the circuit tonight.
const slots = 10

export interface Ended {
  readonly isFailed: boolean
  readonly isSlow: boolean
}

export class CallWindow {
  readonly #slotMs: number
  readonly #requests = new Uint32Array(slots)
  readonly #failures = new Uint32Array(slots)
  readonly #slow = new Uint32Array(slots)
  /** The slot under way, counted since the beginning of time. */
  #newest = 0
  requests = 0
  failures = 0
  slow = 0

  constructor(windowMs: number) {
    this.#slotMs = windowMs / slots
  }

  /** @returns the slot that it was counted in, for `takeBack` */
  add({ isFailed, isSlow }: Ended, nowMs: number): number {
    this.#roll(nowMs)
    const at = this.#newest % slots
    this.requests += 1
    this.#requests[at] = (this.#requests[at] ?? 0) + 1
    if (isFailed) {
      this.failures += 1
      this.#failures[at] = (this.#failures[at] ?? 0) + 1
    }
    if (isSlow) {
      this.slow += 1
      this.#slow[at] = (this.#slow[at] ?? 0) + 1
    }
    return this.#newest
  }

  /** A call that was counted as fine was none, or is to be counted otherwise. */
  takeBack(slot: number, nowMs: number): void {
    this.#roll(nowMs)
    const at = slot % slots
    const counted = this.#requests[at] ?? 0
    if (slot <= this.#newest - slots || counted === 0) return
    this.#requests[at] = counted - 1
    this.requests -= 1
  }

  reset(): void {
    this.#requests.fill(0)
    this.#failures.fill(0)
    this.#slow.fill(0)
    this.requests = 0
    this.failures = 0
    this.slow = 0
  }

  #roll(nowMs: number): void {
    const newest = Math.floor(nowMs / this.#slotMs)
    if (newest - this.#newest >= slots) this.reset()
    else for (let slot = this.#newest + 1; slot <= newest; slot++) this.#empty(slot % slots)
    this.#newest = newest
  }

  #empty(at: number): void {
    this.requests -= this.#requests[at] ?? 0
    this.failures -= this.#failures[at] ?? 0
    this.slow -= this.#slow[at] ?? 0
    this.#requests[at] = 0
    this.#failures[at] = 0
    this.#slow[at] = 0
  }
}
