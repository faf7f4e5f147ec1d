// The stock in two tiers: what lies in this process first, what replicas share second. With one replica the first is all there is.
// The danger it guards against: a tier that still has what was made void in the other.
import type { Stored } from '../../caching/stored.ts'
import type { Tag } from '../../caching/tags.ts'
import type { Clock } from '../../model.ts'
import type { MemoryStock, StockFigures } from '../cacheStock.ts'
import type { CacheStore } from '../store/cachePort.ts'
import type { StoreState } from '../store/port.ts'
import { FarTier } from './farTier.ts'
import type { Choose, Further, Moment, Purged, Putting, Stock } from './stock.ts'
import type { FarCounts } from './tierCounts.ts'

/** What the shared tier does; undefined while there is none. */
export interface FarView extends FarCounts {
  /** Tags of purges that it has not taken yet. */
  readonly owed: number
  readonly store: StoreState
}

export class Tiers implements Stock {
  readonly #near: MemoryStock
  readonly #clock: Clock
  readonly #listeners: ((tags: readonly Tag[] | 'all') => void)[] = []
  #far: FarTier | undefined

  constructor(near: MemoryStock, clock: Clock) {
    this.#near = near
    this.#clock = clock
  }

  /** From now on there is a second tier. */
  open(store: CacheStore): void {
    this.#far = new FarTier(store, this.#clock)
    store.onPurged((tags) => {
      if (tags === 'all') this.#near.clear()
      else this.#near.purge(tags)
      for (const listener of this.#listeners) listener(tags)
    })
  }

  /** Is told of what was purged at any replica. */
  onPurged(listener: (tags: readonly Tag[] | 'all') => void): void {
    this.#listeners.push(listener)
  }

  /** Tries again to tell other replicas; called each second. */
  retry(): void {
    void this.#far?.payOff()
  }

  async get(key: string): Promise<readonly Stored[]> {
    return this.#near.get(key)
  }

  async lookFurther(key: string, choose: Choose): Promise<Further> {
    if (!this.#far) return nothing
    const since = this.#near.now()
    const { stored, heads, tags } = await this.#far.look(key, choose, since)
    // Purged here while it was on its way: it is nobody's any more.
    if (stored && !this.#near.put(key, stored, { tags, since })) return { stored: undefined, heads }
    return { stored, heads }
  }

  draft(keepMs: number) {
    return this.#far?.draft(keepMs)
  }

  async put(key: string, stored: Stored, how: Putting): Promise<void> {
    const isTaken = this.#near.put(key, stored, { tags: how.tags, since: how.since.near })
    if (isTaken) void this.#far?.put(key, stored, how)
    else how.draft?.drop()
  }

  async drop(key: string): Promise<void> {
    this.#near.drop(key)
    this.#far?.drop(key)
  }

  async purge(tags: readonly Tag[]): Promise<Purged> {
    const keys = this.#near.purge(tags)
    return { keys, isTold: this.#far ? await this.#far.purge(tags) : true }
  }

  now(): Moment {
    return { near: this.#near.now(), far: this.#far?.now() ?? 0 }
  }

  figures(): StockFigures {
    return this.#near.figures()
  }

  far(): FarView | undefined {
    return this.#far && { ...this.#far.counts, owed: this.#far.owed, store: this.#far.state() }
  }
}

const nothing: Further = { stored: undefined, heads: [] }
