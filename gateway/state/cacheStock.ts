// Answers in stock in this process, bounded by bytes.
// The danger it guards against: an answer that was asked for before a write and is put into stock behind it.
import { LRUCache } from 'lru-cache'
import type { Stored } from '../caching/stored.ts'
import type { Tag } from '../caching/tags.ts'

/** How many purges there had been; says nothing to anybody but the stock that gave it. */
type Moment = number

export interface NearPutting {
  /** What it is about, and may be purged by. */
  readonly tags: readonly Tag[]
  /** When its upstream was asked: what has been purged since is not put. */
  readonly since: Moment
}

export interface StockFigures {
  readonly keys: number
  readonly bytes: number
}

export interface MemoryStock {
  /** All that lies under that key, for different requests (RFC 9111 §4.1). */
  get(key: string): readonly Stored[]
  /** In place of what lies there for the same requests. @returns false when it has been made void since it was asked for */
  put(key: string, stored: Stored, how: NearPutting): boolean
  /** Forgets what lies there. */
  drop(key: string): void
  /** Forgets all that bears one of these tags, and what is under way of it. @returns of how many keys */
  purge(tags: readonly Tag[]): number
  /** Forgets everything, and all that is under way. */
  clear(): void
  now(): Moment
  figures(): StockFigures
}

interface Lying {
  readonly stored: Stored
  readonly tags: readonly Tag[]
}

interface Shelf {
  readonly lying: readonly Lying[]
  readonly stored: readonly Stored[]
  /** Of all of them: who purges one has the others asked for anew. */
  readonly tags: ReadonlySet<Tag>
}

/** Of one key: whoever varies by more has too many for a stock to help. */
export const mostVariants = 16
/** Purges that are remembered one by one; older ones count as purges of everything. */
const mostPurges = 10_000
/** What an entry costs beside its text and body, and what a tag does. */
const entryBytes = 1_000
const tagBytes = 100

/** What was used least lately goes first. @param mostBytes of bodies, fields and keys together */
export function createMemoryStock(mostBytes: number): MemoryStock {
  const keysByTag = new Map<Tag, Set<string>>()
  const purges = new Purges()
  const shelves = new LRUCache<string, Shelf>({
    maxSize: mostBytes,
    sizeCalculation: sizeOf,
    dispose: ({ tags }, key) => {
      for (const tag of tags) unindex(keysByTag, tag, key)
    },
  })

  return {
    get: (key) => shelves.get(key)?.stored ?? nothing,
    put(key, stored, { tags, since }) {
      if (purges.hasHit(tags, since)) return false
      const others = (shelves.peek(key)?.lying ?? []).filter((one) => !isForSame(one.stored, stored))
      const shelf = shelfOf([{ stored, tags }, ...others].slice(0, mostVariants))
      shelves.set(key, shelf)
      // It may have been too large to be taken in.
      if (shelves.has(key)) for (const tag of shelf.tags) index(keysByTag, tag, key)
      return true
    },
    drop: (key) => void shelves.delete(key),
    purge(tags) {
      purges.add(tags)
      const keys = new Set(tags.flatMap((tag) => [...(keysByTag.get(tag) ?? [])]))
      for (const key of keys) shelves.delete(key)
      return keys.size
    },
    clear() {
      purges.addAll()
      shelves.clear()
    },
    now: () => purges.now,
    figures: () => ({ keys: shelves.size, bytes: shelves.calculatedSize }),
  }
}

const nothing: readonly Stored[] = []

function shelfOf(lying: readonly Lying[]): Shelf {
  return { lying, stored: lying.map(({ stored }) => stored), tags: new Set(lying.flatMap(({ tags }) => tags)) }
}

function isForSame(one: Stored, other: Stored): boolean {
  return one.variant === other.variant && one.isAnybodys === other.isAnybodys && `${one.vary}` === `${other.vary}`
}

/** Characters of fields take one byte each: they are latin1. */
function sizeOf({ stored, tags }: Shelf, key: string): number {
  const fieldBytes = (one: Stored) => one.fields.raw.reduce((sum, text) => sum + text.length, 0)
  const ownBytes = key.length + tags.size * tagBytes
  return stored.reduce((sum, one) => sum + one.body.length + fieldBytes(one) + entryBytes, ownBytes)
}

function index(keysByTag: Map<Tag, Set<string>>, tag: Tag, key: string): void {
  const keys = keysByTag.get(tag)
  if (keys) keys.add(key)
  else keysByTag.set(tag, new Set([key]))
}

function unindex(keysByTag: Map<Tag, Set<string>>, tag: Tag, key: string): void {
  const keys = keysByTag.get(tag)
  keys?.delete(key)
  if (keys?.size === 0) keysByTag.delete(tag)
}

/** The last purge of each tag, and the moment of the newest one that is not remembered any more. */
class Purges {
  now: Moment = 0
  #forgottenUpTo: Moment = 0
  readonly #last = new Map<Tag, Moment>()

  add(tags: readonly Tag[]): void {
    this.now += 1
    for (const tag of tags) {
      this.#last.delete(tag)
      this.#last.set(tag, this.now)
    }
    for (const [tag, moment] of this.#last) {
      if (this.#last.size <= mostPurges) return
      this.#last.delete(tag)
      this.#forgottenUpTo = moment
    }
  }

  addAll(): void {
    this.now += 1
    this.#last.clear()
    this.#forgottenUpTo = this.now
  }

  hasHit(tags: readonly Tag[], since: Moment): boolean {
    return since < this.#forgottenUpTo || tags.some((tag) => (this.#last.get(tag) ?? 0) > since)
  }
}
