// The log of purges that all replicas share, one entry for each: who is told that there is a new one reads on from the last he knows,
// and looks each second besides, because pushes get lost.
// The danger it guards against: a purge that was missed. Where the last known entry is gone, so may be others: then all is void.
import type { Tag } from '../../../caching/tags.ts'
import { StoreDown, type StoreOptions } from '../port.ts'
import { purgeScript, readLogScript } from './cacheScripts.ts'
import type { Connection } from './connection.ts'

/** Longer than anything lies there. */
export const versionsKeptMs = 48 * 60 * 60 * 1000
const mostEntries = 10_000
const atATime = 1_000

type Entry = readonly [id: string, fields: readonly string[]]

interface Where {
  readonly log: string
  readonly channel: string
  versionOf(tag: Tag): string
}

export class PurgeLog {
  readonly #ask: Connection['ask']
  readonly #where: Where
  readonly #onFailure: StoreOptions['onFailure']
  readonly #listeners: ((tags: readonly Tag[] | 'all') => void)[] = []
  /** The last entry that has been heard of. */
  #last = ''
  #isReading = false
  #isStale = false

  constructor({ ask }: Pick<Connection, 'ask'>, where: Where, onFailure: StoreOptions['onFailure']) {
    this.#ask = ask
    this.#where = where
    this.#onFailure = onFailure
  }

  now(): number {
    return this.#last === '' ? 0 : momentOf(this.#last)
  }

  onPurged(listener: (tags: readonly Tag[] | 'all') => void): void {
    this.#listeners.push(listener)
  }

  async purge(tags: readonly Tag[], withinMs: number): Promise<void> {
    const { log, channel, versionOf } = this.#where
    const keys = [log, ...tags.map(versionOf)]
    const told = [tags.join(' '), versionsKeptMs, mostEntries, channel]
    const written = await this.#ask((redis) => redis.eval(purgeScript, keys.length, ...keys, ...told), withinMs)
    const [before, entry] = written as [string, string]
    // Nothing has come between: what was purged here is known here.
    if (before === this.#last) this.#last = entry
    else void this.read()
  }

  /** There may be more. Never rejects. */
  async read(): Promise<void> {
    this.#isStale = true
    if (this.#isReading) return
    this.#isReading = true
    while (this.#isStale) {
      this.#isStale = false
      try {
        this.#isStale = (await this.#readOn()) || this.#isStale
      } catch (thrown) {
        // It is read again when the store is back.
        if (!(thrown instanceof StoreDown)) this.#onFailure(thrown)
      }
    }
    this.#isReading = false
  }

  /** @returns whether there are still more */
  async #readOn(): Promise<boolean> {
    const known = this.#last
    const asked = [this.#where.log, known, atATime, versionsKeptMs]
    const entries = (await this.#ask((redis) => redis.eval(readLogScript, 1, ...asked))) as readonly Entry[]
    const newest = entries.at(-1)?.[0]
    if (entries[0]?.[0] !== known) this.#tell('all')
    else for (const [, [, tags = '']] of entries.slice(1)) this.#tell(tags.split(' '))
    if (newest === undefined) this.#last = ''
    else if (this.#last === known || momentOf(newest) > this.now()) this.#last = newest
    return newest === undefined || (entries.length === atATime && newest !== known)
  }

  #tell(tags: readonly Tag[] | 'all'): void {
    for (const listener of this.#listeners) listener(tags)
  }
}

/** Of `MOMENT-0`. */
const momentOf = (entry: string): number => Number.parseInt(entry, 10)
