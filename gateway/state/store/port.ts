// What the rest of the gateway may ask of a store. Every call is bounded: it rejects with StoreDown at once while the store is
// known to be down, and within a second otherwise; nothing waits in a queue for better times.
// The danger it guards against: a caller that takes what it could not read for "nothing there".
import type { Charge, Clock, Drawing, Settled } from '../../model.ts'

export interface Store extends DocumentStore, CountStore, RecordStore, ValueStore, ReplicaStore, BudgetStore {
  state(): StoreState
  /** What it forgets when its memory is full: Redis' maxmemory-policy, `noeviction` for nothing; undefined when it does not say. */
  evictionPolicy(): Promise<string | undefined>
  /** Is told at each change of `is`. @returns what ends it */
  onState(listener: (state: StoreState) => void): () => void
  /** Lets go of everything; calls reject from then on. */
  close(): void
}

export interface StoreState {
  readonly is: 'up' | 'down'
  /** Milliseconds since the epoch. */
  readonly since: number
  /** Why it is down: may name hosts, never secrets. */
  readonly why?: string
}

export interface StoreOptions {
  /** Unlike that of any other replica that is alive. */
  readonly replicaId: string
  readonly clock: Clock
  /** In [0, 1): spreads reconnections. */
  readonly random: () => number
  /** Gateways that share one Redis and nothing else differ in it (default: `gateway`). Letters, digits and dashes. */
  readonly namespace?: string
  /** The longest that a request is kept waiting (default: 100). */
  readonly inPassingMs?: number
  /** What a listener threw. */
  readonly onFailure: (thrown: unknown) => void
}

/** The one way in which a call fails. */
export class StoreDown extends Error {
  override readonly name = 'StoreDown'
  /** Whether the store may have done it nonetheless, now or when it wakes up. */
  readonly mayHaveRun: boolean

  constructor(reason: string, mayHaveRun: boolean) {
    super(`the store is not to be had: ${reason}`)
    this.mayHaveRun = mayHaveRun
  }
}

/** A value is whatever JSON can say; what is read is a copy, and may have been written by another version. */
export interface Document {
  readonly value: unknown
  /** Greater than that of every earlier one of that name, also after the store was emptied. */
  readonly revision: number
}

export interface Documents {
  /** Of the last write or removal; 0 when there never was one, or the store was emptied: then whoever remembers may put again. */
  readonly revision: number
  readonly byKey: ReadonlyMap<string, Document>
}

/** `done: false`: another one was there, and stays. */
export type Written =
  | { readonly done: true; readonly revision: number }
  | { readonly done: false; readonly found: Document | undefined }

export interface WriteCondition {
  /** Only if the document has this revision still; 0: only if there is none. Absent: whatever is there. */
  readonly ifRevision?: number
}

/** Few small documents that all replicas look at all the time, such as overrides. */
export interface DocumentStore {
  put(name: string, key: string, value: unknown, condition?: WriteCondition): Promise<Written>
  remove(name: string, key: string, condition?: WriteCondition): Promise<Written>
  all(name: string): Promise<Documents>
  /**
   * Is told all there is as soon as it is known, and again after each change by whomever: at once by push, within a second
   * without. Several changes may come as one; while the store is down there are none. @returns what ends it
   */
  onChange(name: string, listener: (documents: Documents) => void): () => void
}

/** Budgets of all replicas by one clock. Bounded by 100 ms: they stand in the way of requests. */
export interface BudgetStore {
  draw(charges: readonly Charge[]): Promise<Drawing>
  settle(settled: readonly Settled[]): Promise<void>
}

/** Counts of one replica in one slot of time, by key: what a number stands for is the caller's. */
export type Counts = ReadonlyMap<string, readonly number[]>

/** What all replicas counted, by slots of time; forgotten after five minutes. */
export interface CountStore {
  /**
   * This replica's counts in that slot in place of those it reported before, so that it may be repeated.
   * @param slotAt the start of the slot in milliseconds since the epoch
   */
  reportCounts(name: string, slotAt: number, counts: Counts): Promise<void>
  /**
   * The sums over all replicas, slot by slot in the order asked for; a slot that nobody reported is empty. Every key of every
   * replica is read: ask for the last few slots, and keep the older ones.
   */
  sumCounts(name: string, slots: readonly number[]): Promise<readonly Counts[]>
}

export interface StoredRecord {
  /** Says nothing but its place: for `after`. */
  readonly id: string
  readonly value: unknown
}

/** Records of all replicas in one order; about the last ten thousand of a name are kept. */
export interface RecordStore {
  /** @returns its id */
  append(name: string, value: unknown): Promise<string>
  /** The last ones, oldest first; with `after` the first ones that follow that id. */
  readStream(name: string, range: { readonly limit: number; readonly after?: string }): Promise<readonly StoredRecord[]>
}

/** Single short texts. `remember` and `recall` are bounded by 100 ms: they stand in the way of requests. */
export interface ValueStore {
  remember(name: string, key: string, value: string, ttlMs: number): Promise<void>
  recall(name: string, key: string): Promise<string | undefined>
  /** @returns the value that is there now: of all who try, the first one's */
  setIfAbsent(name: string, key: string, value: string): Promise<string>
}

export interface ReplicaStore {
  /** This replica is alive for that long, and says this of itself, e.g. which revision it serves. */
  announce(info: unknown, ttlMs: number): Promise<void>
  /** What each replica that is alive said last, by its id. */
  replicas(): Promise<ReadonlyMap<string, unknown>>
}
