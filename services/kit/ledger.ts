// The ledger: every request with an id that reached this process, in order of arrival, and how it ended.
// The danger it guards against: a request that ran although its answer was lost, and that no proof of a cutover would see.

export interface LedgerEntry {
  /** 1, 2, 3 … since the process started; goes on after the ledger has been emptied. */
  readonly seq: number
  /** The request's X-Request-Id. */
  readonly id: string
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Null until a head has been written. */
  status: number | null
  state: 'running' | 'answered' | 'aborted'
  /** The request's Banyan-Role, where it has one. */
  readonly role?: string
}

export interface LedgerPage {
  readonly entries: readonly LedgerEntry[]
  /** The number to ask for `after` next. */
  readonly next: number
  /** Entries that were pushed out by newer ones since the ledger was last emptied. */
  readonly dropped: number
}

type Arrival = Pick<LedgerEntry, 'id' | 'method' | 'path' | 'role'>

export class Ledger {
  readonly #capacity: number
  /** A ring: the entry of a seq is at seq modulo capacity. */
  #ring: LedgerEntry[] = []
  #lastSeq = 0
  /** Everything up to here has been emptied. */
  #emptiedUpTo = 0

  constructor(capacity = 500_000) {
    this.#capacity = capacity
  }

  /** Writes an arrival down at once; the caller sets `status` and `state` on what it gets back. */
  open(arrival: Arrival): LedgerEntry {
    this.#lastSeq += 1
    const entry: LedgerEntry = { seq: this.#lastSeq, ...arrival, status: null, state: 'running' }
    this.#ring[entry.seq % this.#capacity] = entry
    return entry
  }

  /** @param after a seq; entries that came later are given, at most `limit`. */
  read(after: number, limit: number): LedgerPage {
    const start = Math.max(after, this.#firstSeq() - 1)
    const end = Math.min(this.#lastSeq, start + limit)
    const entries: LedgerEntry[] = []
    for (let seq = start + 1; seq <= end; seq += 1) {
      const entry = this.#ring[seq % this.#capacity]
      if (entry) entries.push(entry)
    }
    return { entries, next: Math.max(end, start), dropped: this.#firstSeq() - 1 - this.#emptiedUpTo }
  }

  empty(): void {
    this.#ring = []
    this.#emptiedUpTo = this.#lastSeq
  }

  get size(): number {
    return this.#lastSeq - this.#firstSeq() + 1
  }

  #firstSeq(): number {
    return Math.max(this.#emptiedUpTo, this.#lastSeq - this.#capacity) + 1
  }
}
