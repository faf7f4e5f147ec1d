// Where answers lie in stock: the port, and the tier in this process, bounded by bytes.
// The danger it guards against: an answer that was asked for before a write and is put into stock behind it.
import { LRUCache } from 'lru-cache'
import type { Stored } from '../caching/stored.ts'

/** Where in the order of the purges something happened; says nothing to anybody but the Stock that gave it. */
export type Moment = number

export interface Putting {
  /** What it is about, and may be purged by. Those of all that lies under one key are the same. */
  readonly tags: readonly string[]
  /** When its upstream was asked: what has been purged since is not put. */
  readonly since: Moment
}

export interface Stock {
  /** All that lies under that key, for different requests (RFC 9111 §4.1). */
  get(key: string): Promise<readonly Stored[]>
  /** In place of what lies there for the same requests. */
  put(key: string, stored: Stored, how: Putting): Promise<void>
  /** Forgets what lies there. */
  drop(key: string): Promise<void>
  /** Forgets all that bears one of these tags, and what is under way of it. */
  purge(tags: readonly string[]): Promise<void>
  now(): Moment
}

export interface StockFigures {
  readonly keys: number
  readonly bytes: number
}

export interface MemoryStock extends Stock {
  figures(): StockFigures
}

interface Shelf {
  readonly stored: readonly Stored[]
  readonly tags: readonly string[]
}

/** Of one key: whoever varies by more has too many for a stock to help. */
const mostVariants = 16
/** Purges that are remembered one by one; older ones count as purges of everything. */
const mostPurges = 10_000
/** What an entry costs beside its text and body. */
const entryBytes = 1_000

/** What was used least lately goes first. @param mostBytes of bodies, fields and keys together */
export function createMemoryStock(mostBytes: number): MemoryStock {
  const keysByTag = new Map<string, Set<string>>()
  const purges = new Purges()
  const shelves = new LRUCache<string, Shelf>({
    maxSize: mostBytes,
    sizeCalculation: sizeOf,
    dispose: ({ tags }, key) => {
      for (const tag of tags) unindex(keysByTag, tag, key)
    },
  })

  function putAtOnce(key: string, stored: Stored, { tags, since }: Putting): void {
    if (purges.hasHit(tags, since)) return
    const others = (shelves.peek(key)?.stored ?? []).filter((one) => !isForSame(one, stored))
    shelves.set(key, { stored: [stored, ...others].slice(0, mostVariants), tags })
    // It may have been too large to be taken in.
    if (shelves.has(key)) for (const tag of tags) index(keysByTag, tag, key)
  }

  return {
    get: async (key) => shelves.get(key)?.stored ?? nothing,
    put: async (key, stored, how) => putAtOnce(key, stored, how),
    async drop(key) {
      shelves.delete(key)
    },
    async purge(tags) {
      purges.add(tags)
      for (const tag of tags) for (const key of [...(keysByTag.get(tag) ?? [])]) shelves.delete(key)
    },
    now: () => purges.now,
    figures: () => ({ keys: shelves.size, bytes: shelves.calculatedSize }),
  }
}

const nothing: readonly Stored[] = []

function isForSame(one: Stored, other: Stored): boolean {
  return one.variant === other.variant && one.isAnybodys === other.isAnybodys && `${one.vary}` === `${other.vary}`
}

/** Characters of fields take one byte each: they are latin1. */
function sizeOf({ stored }: Shelf, key: string): number {
  const fieldBytes = (one: Stored) => one.fields.raw.reduce((sum, text) => sum + text.length, 0)
  return stored.reduce((sum, one) => sum + one.body.length + fieldBytes(one) + entryBytes, key.length)
}

function index(keysByTag: Map<string, Set<string>>, tag: string, key: string): void {
  const keys = keysByTag.get(tag)
  if (keys) keys.add(key)
  else keysByTag.set(tag, new Set([key]))
}

function unindex(keysByTag: Map<string, Set<string>>, tag: string, key: string): void {
  const keys = keysByTag.get(tag)
  keys?.delete(key)
  if (keys?.size === 0) keysByTag.delete(tag)
}

/** The last purge of each tag, and the moment of the newest one that is not remembered any more. */
class Purges {
  now: Moment = 0
  #forgottenUpTo: Moment = 0
  readonly #last = new Map<string, Moment>()

  add(tags: readonly string[]): void {
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

  hasHit(tags: readonly string[], since: Moment): boolean {
    return since < this.#forgottenUpTo || tags.some((tag) => (this.#last.get(tag) ?? 0) > since)
  }
}
