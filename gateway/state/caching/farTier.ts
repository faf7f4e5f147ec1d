// The tier that replicas share, as the stock uses it: asked once for all who want the same, and left alone while it is of no help.
// The danger it guards against: requests that wait for a store which is gone or slow, one after another and each in full.
import type { Stored } from '../../caching/stored.ts'
import type { Tag } from '../../caching/tags.ts'
import type { Clock } from '../../model.ts'
import type { CacheStore, Draft } from '../store/cachePort.ts'
import { StoreDown, type StoreState } from '../store/port.ts'
import { Owed } from './owed.ts'
import type { Choose, Further, Putting } from './stock.ts'
import { createFarCounts } from './tierCounts.ts'

/** So long nobody asks after it was late; doubled each time that it is late again. */
const restMs = 250
const longestRestMs = 8_000

/** What was found, and how it is to be put near. */
export interface FoundFar extends Further {
  readonly tags: readonly Tag[]
}

interface Look {
  readonly since: number
  readonly untilMs: number
}

const nothing: FoundFar = { stored: undefined, heads: [], tags: [] }

export class FarTier {
  readonly #store: CacheStore
  readonly #clock: Clock
  readonly #owed = new Owed()
  readonly #counting = createFarCounts()
  readonly #reading = new Map<string, Promise<unknown>>()
  #restsUntilMs = 0
  #latesInARow = 0

  constructor(store: CacheStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
    store.onState(({ is }) => is === 'up' && void this.payOff())
  }

  get counts() {
    return this.#counting.counts()
  }

  /** Tags of purges that it has not taken yet. */
  get owed(): number {
    return this.#owed.size
  }

  state(): StoreState {
    return this.#store.state()
  }

  now(): number {
    return this.#store.now()
  }

  /** Never rejects. @param since the moment here: what was asked for before a purge is not shared with who comes after it */
  async look(key: string, choose: Choose, since: number): Promise<FoundFar> {
    const startedMs = this.#clock.now()
    if (this.#store.state().is === 'down' || startedMs < this.#restsUntilMs) {
      this.#counting.looked('away')
      return nothing
    }
    try {
      const found = await this.#find(key, choose, { since, untilMs: startedMs + this.#store.inPassingMs })
      this.#latesInARow = 0
      this.#counting.looked(found.stored ? 'hit' : 'miss', this.#clock.now() - startedMs)
      return found
    } catch (thrown) {
      this.#failed(thrown, this.#clock.now() - startedMs)
      return nothing
    }
  }

  draft(keepMs: number): Draft | undefined {
    return keepMs > 0 && this.#store.state().is === 'up' ? this.#store.draft() : undefined
  }

  /** Never rejects. */
  async put(key: string, { body, ...head }: Stored, { tags, since, keepMs, draft }: Putting): Promise<void> {
    const drafted = draft ?? this.draft(keepMs)
    if (keepMs <= 0) return
    try {
      if (!drafted) throw new StoreDown('it was away when it was asked to take an answer', false)
      const laid = await drafted.finish(body)
      const isTaken = await this.#store.put(key, { ...head, tags, since: since.far, body: laid }, keepMs)
      this.#counting.put(isTaken ? 'stored' : 'void')
    } catch {
      this.#counting.put('failed')
    }
  }

  drop(key: string): void {
    // What lies there is void when it is too old, and is asked after until then.
    if (this.#store.state().is === 'up') this.#store.drop(key).catch(() => {})
  }

  /** @returns whether it has been taken; if not, it is tried again */
  async purge(tags: readonly Tag[]): Promise<boolean> {
    const debt = this.#owed.add(tags)
    return this.#pay(debt)
  }

  /** Tries again what has not been taken. Never rejects. */
  async payOff(): Promise<void> {
    if (this.#owed.size > 0 && this.#store.state().is === 'up') await this.#pay(this.#owed.all())
  }

  async #pay(debt: ReturnType<Owed['all']>): Promise<boolean> {
    try {
      await this.#store.purge(debt.tags)
      this.#owed.settle(debt)
      return true
    } catch {
      return false
    }
  }

  async #find(key: string, choose: Choose, { since, untilMs }: Look): Promise<FoundFar> {
    const left = () => Math.max(1, untilMs - this.#clock.now())
    const heads = await this.#once(`${since} heads ${key}`, () => this.#store.heads(key, left()))
    const head = choose(heads)
    if (!head) return { ...nothing, heads }
    const stored = await this.#once(`${since} body ${head.body.id}`, () => this.#store.whole(head, left()))
    // Purged here, before or meanwhile, and nobody there has heard of it yet.
    return this.#owed.concerns(head.tags) ? { ...nothing, heads } : { stored, heads, tags: head.tags }
  }

  /** Who wants the same waits for the same answer. */
  #once<T>(what: string, ask: () => Promise<T>): Promise<T> {
    const under = this.#reading.get(what) as Promise<T> | undefined
    if (under) return under
    const asked = ask().finally(() => this.#reading.delete(what))
    this.#reading.set(what, asked)
    return asked
  }

  #failed(thrown: unknown, waitedMs: number): void {
    const isLate = thrown instanceof StoreDown && thrown.mayHaveRun
    this.#counting.looked(isLate ? 'late' : 'failed', waitedMs)
    const nowMs = this.#clock.now()
    // Of many that were late together each is not one more time.
    if (!isLate || nowMs < this.#restsUntilMs) return
    this.#restsUntilMs = nowMs + Math.min(longestRestMs, restMs * 2 ** this.#latesInARow)
    this.#latesInARow += 1
  }
}
