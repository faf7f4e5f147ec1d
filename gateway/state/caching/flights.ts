// Requests to upstreams that others wait for, one per key; and the keys for which nobody waits, because their last answer was for
// nobody else. The danger it guards against: ten thousand clients who ask a slow upstream for the same at the same moment.

import type { Stored } from '../../caching/stored.ts'
import { isNamed, type Tag } from '../../caching/tags.ts'
import type { Failure } from '../../errors.ts'

/** What those who wait may have of it. */
export type Landing =
  | { readonly how: 'stored'; readonly stored: Stored }
  /** Each asks for himself. */
  | { readonly how: 'alone' }
  /** The upstream said that it fails: who has something for such a case takes that, the others ask for themselves. */
  | { readonly how: 'erred' }
  | { readonly how: 'failed'; readonly failure: Failure }

export type Land = (landing: Landing) => void

interface Flight {
  readonly tags: readonly Tag[]
  readonly landed: Promise<Landing>
}

export class Flights {
  readonly #byKey = new Map<string, Flight>()

  of(key: string): Promise<Landing> | undefined {
    return this.#byKey.get(key)?.landed
  }

  /** @returns what tells those who wait; the first word counts */
  start(key: string, tags: readonly Tag[]): Land {
    const { promise, resolve } = Promise.withResolvers<Landing>()
    const flight = { tags, landed: promise }
    this.#byKey.set(key, flight)
    return (landing) => {
      if (this.#byKey.get(key) === flight) this.#byKey.delete(key)
      resolve(landing)
    }
  }

  /** Who comes from now on does not wait for what was asked before a write. */
  leave(purged: readonly Tag[] | 'all'): void {
    // What its origin will call it is not known of any of them.
    const isAll = purged === 'all' || purged.some(isNamed)
    for (const [key, { tags }] of this.#byKey) {
      if (isAll || tags.some((tag) => purged.includes(tag))) this.#byKey.delete(key)
    }
  }
}

/** So long nobody waits for anybody under such a key; then somebody tries again. */
const apartMs = 10_000
const mostKeys = 10_000

export class Apart {
  readonly #untilMs = new Map<string, number>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  has(key: string): boolean {
    const untilMs = this.#untilMs.get(key)
    if (untilMs === undefined) return false
    if (untilMs > this.#now()) return true
    this.#untilMs.delete(key)
    return false
  }

  add(key: string): void {
    this.#untilMs.delete(key)
    this.#untilMs.set(key, this.#now() + apartMs)
    const [oldest] = this.#untilMs.keys()
    if (this.#untilMs.size > mostKeys && oldest !== undefined) this.#untilMs.delete(oldest)
  }
}
