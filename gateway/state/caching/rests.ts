// How long the cache asks nobody behind its clients, after it has asked in vain.
// The danger it guards against: an upstream that fails and is asked again at once, as often as a stale answer is given.
const firstMs = 1_000
const longestMs = 30_000
/** Beyond them the oldest are forgotten. */
const mostKeys = 10_000

interface Rest {
  readonly untilMs: number
  readonly failures: number
}

export class Rests {
  readonly #byKey = new Map<string, Rest>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether nobody is to be asked under that key now. */
  has(key: string): boolean {
    const rest = this.#byKey.get(key)
    return rest !== undefined && rest.untilMs > this.#now()
  }

  /** Somebody was asked: after a failure it rests for 1, 2, 4 … 30 seconds. */
  ended(key: string, isWell: boolean): void {
    const failures = isWell ? 0 : (this.#byKey.get(key)?.failures ?? 0) + 1
    this.#byKey.delete(key)
    if (isWell) return
    this.#byKey.set(key, { failures, untilMs: this.#now() + Math.min(firstMs * 2 ** (failures - 1), longestMs) })
    const [oldest] = this.#byKey.keys()
    if (this.#byKey.size > mostKeys && oldest !== undefined) this.#byKey.delete(oldest)
  }
}
