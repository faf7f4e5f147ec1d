// Where answers lie, as those see it who put them there and give them to clients: one stock, of however many tiers.
// The danger it guards against: an answer that was asked for before a write and is put into stock behind it.
import type { Stored, StoredHead } from '../../caching/stored.ts'
import type { Tag } from '../../caching/tags.ts'
import type { Draft } from '../store/cachePort.ts'

/** Where in the order of the purges something happened, here and in the store that replicas share; says nothing to anybody else. */
export interface Moment {
  readonly near: number
  readonly far: number
}

export interface Putting {
  /** What it is about, and may be purged by. */
  readonly tags: readonly Tag[]
  /** When its upstream was asked: what has been purged since is not put. */
  readonly since: Moment
  /** For so long it is of use to anybody. */
  readonly keepMs: number
  /** Of the same body. */
  readonly draft?: Draft | undefined
}

/** What lies farther away than in this process. */
export interface Further {
  /** What was chosen, whole. */
  readonly stored: Stored | undefined
  readonly heads: readonly StoredHead[]
}

export interface Purged {
  /** Keys that something lay under in this process. */
  readonly keys: number
  /** Whether other replicas are certain to hear of it; if not now, it is tried until they do. */
  readonly isTold: boolean
}

/** One of them, or none. */
export type Choose = <H extends StoredHead>(heads: readonly H[]) => H | undefined

export interface Stock {
  /** All that lies near under that key, for different requests (RFC 9111 §4.1). */
  get(key: string): Promise<readonly Stored[]>
  /** What lies farther away; waits for it in passing (100 ms), and not at all where that is known to be in vain. Never rejects. */
  lookFurther(key: string, choose: Choose): Promise<Further>
  /** @param keepMs as of the answer that it will be part of */
  draft(keepMs: number): Draft | undefined
  /** In place of what lies there for the same requests. Waits for nothing that is far away. */
  put(key: string, stored: Stored, how: Putting): Promise<void>
  /** Forgets what lies there. */
  drop(key: string): Promise<void>
  /**
   * Forgets all that bears one of these tags, and what is under way of it.
   * Waits for other replicas' store in passing (100 ms).
   */
  purge(tags: readonly Tag[]): Promise<Purged>
  now(): Moment
}
