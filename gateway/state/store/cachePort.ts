// What the cache may ask of the store that replicas share. Every call is bounded, as those of the other store are (port.ts).
// The danger it guards against: an answer that was made void, or is there in part, and is given to somebody.
import type { Stored, StoredHead } from '../../caching/stored.ts'
import type { Tag } from '../../caching/tags.ts'
import type { StoreState } from './port.ts'

/** A body that lies in the store, whole. */
export interface Laid {
  readonly id: string
  readonly bytes: number
}

/** A body on its way into the store, while it still comes. */
export interface Draft {
  /** @param soFar all that has come: what was in it once does not change */
  grown(soFar: Buffer): void
  /** @param body all of it. Rejects with StoreDown when it does not lie there whole. */
  finish(body: Buffer): Promise<Laid>
  /** Nothing will come of it. */
  drop(): void
}

/** A head in the store, and where its body lies. */
export interface KeptHead extends StoredHead {
  readonly tags: readonly Tag[]
  /** The moment of its upstream's being asked: a later purge of one of its tags makes it void. */
  readonly since: number
  readonly body: Laid
}

/** Rejections are StoreDown alone. */
export interface CacheStore {
  /** The longest that a request is kept waiting for it. */
  readonly inPassingMs: number
  /** The heads under that key, void ones too. */
  heads(key: string, withinMs: number): Promise<readonly KeptHead[]>
  /** With its body; undefined when a purge has made it void, or the body is not there to its last byte. */
  whole(head: KeptHead, withinMs: number): Promise<Stored | undefined>
  draft(): Draft
  /** In place of what lies there for the same requests. @returns false when it was made void since it was asked for */
  put(key: string, head: KeptHead, keepMs: number): Promise<boolean>
  drop(key: string): Promise<void>
  /** Makes void all that bears one of these tags, at all replicas; may be repeated. Waits `inPassingMs` at most. */
  purge(tags: readonly Tag[]): Promise<void>
  /** How far this replica has heard of the purges of all; 0 before it has heard of any. */
  now(): number
  /** Is told of purges, others' and own, within a second; `all` when some may have been missed. */
  onPurged(listener: (tags: readonly Tag[] | 'all') => void): void
  state(): StoreState
  onState(listener: (state: StoreState) => void): () => void
  close(): void
}
