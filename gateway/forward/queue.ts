// Whoever waits for a connection: in the order they came, those who yield behind all others.
// The danger it guards against: a dead service whose requests, sent to the monolith instead, take the monolith's own with them.

export class Queue<W> {
  readonly #first = new Set<W>()
  readonly #yielding = new Set<W>()

  get size(): number {
    return this.#first.size + this.#yielding.size
  }

  has(waiter: W): boolean {
    return this.#first.has(waiter) || this.#yielding.has(waiter)
  }

  /**
   * @param most that may wait, whoever comes included
   * @returns whoever has no place in it now, if anybody: maybe the one that comes, maybe one that yields to it
   */
  add(waiter: W, yields: boolean, most: number): W | undefined {
    const dropped = this.size < most ? undefined : yields ? waiter : newestOf(this.#yielding, waiter)
    if (dropped === waiter) return waiter
    if (dropped) this.#yielding.delete(dropped)
    const queue = yields ? this.#yielding : this.#first
    queue.add(waiter)
    return dropped
  }

  delete(waiter: W): void {
    this.#first.delete(waiter)
    this.#yielding.delete(waiter)
  }

  /** Takes the one whose turn it is. */
  next(): W | undefined {
    const [next] = this.#first.size > 0 ? this.#first : this.#yielding
    if (next) this.delete(next)
    return next
  }

  /** Takes all. */
  takeAll(): W[] {
    const all = [...this.#first, ...this.#yielding]
    this.#first.clear()
    this.#yielding.clear()
    return all
  }
}

/** Those who have waited are nearer to their turn. */
function newestOf<W>(waiters: ReadonlySet<W>, otherwise: W): W {
  return [...waiters].at(-1) ?? otherwise
}
