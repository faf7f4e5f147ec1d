// A time limit that is set and lifted for every request and hardly ever passes: its timer is left running, and looks at the limit
// when it fires. A timer made and cleared for each request was 1.3 % of a small one; this is two assignments.
// The danger it guards against: a limit that passes early, or never; and one that passes while what it waits for lies unread,
// because the process itself stood still.

export class Alarm {
  #timer: NodeJS.Timeout | undefined
  /** When the timer fires, and when the limit passes: milliseconds as `performance.now` counts them, for a timer obeys no other clock. */
  #firesAt = Number.POSITIVE_INFINITY
  #dueAt = Number.POSITIVE_INFINITY
  #ring: (() => void) | undefined

  /** Takes the place of whatever was set. */
  set(ms: number, ring: () => void): void {
    const now = performance.now()
    this.#dueAt = now + ms
    this.#ring = ring
    if (this.#firesAt > this.#dueAt) this.#fireIn(ms, now)
  }

  lift(): void {
    this.#ring = undefined
  }

  /** Lifted for good. */
  end(): void {
    this.#ring = undefined
    clearTimeout(this.#timer)
    this.#firesAt = Number.POSITIVE_INFINITY
  }

  #fireIn(ms: number, now: number): void {
    clearTimeout(this.#timer)
    this.#firesAt = now + ms
    this.#timer = setTimeout(this.#fire, ms)
  }

  readonly #fire = (): void => {
    this.#firesAt = Number.POSITIVE_INFINITY
    if (!this.#ring) return
    const now = performance.now()
    if (now < this.#dueAt) this.#fireIn(this.#dueAt - now, now)
    // Timers come before sockets in the event loop's round: what has arrived is read first.
    else setImmediate(this.#ringIfDue)
  }

  readonly #ringIfDue = (): void => {
    const ring = this.#ring
    if (!ring || performance.now() < this.#dueAt) return
    this.#ring = undefined
    ring()
  }
}
