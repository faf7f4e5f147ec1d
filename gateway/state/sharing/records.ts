// The audit of all replicas: each keeps the chain of its own in stateDir, and the store a copy of all of them in one order.
// The danger it guards against: a history that leaves out what another replica decided.
import type { AuditQuery } from '../auditRead.ts'
import type { AuditRecord } from '../auditRecord.ts'
import { type Store, StoreDown } from '../store/port.ts'

export interface SharedRecords {
  /** Puts a record of ours beside those of the others; while the store is away it is kept. */
  append(record: AuditRecord): void
  /** Puts again what has not got there yet. */
  retry(): void
  /** What all replicas have put there, the oldest first; nothing while the store is away. */
  read(query: AuditQuery): Promise<readonly AuditRecord[]>
}

const name = 'audit'
/** Beyond them the oldest are dropped: stateDir has them all. */
const mostKept = 1_000
/** As many as the store keeps. */
const mostRead = 10_000

export function shareRecords(store: Store, onFailure: (thrown: unknown) => void): SharedRecords {
  let waiting: AuditRecord[] = []
  let isPutting = false

  async function putAll(): Promise<void> {
    isPutting = true
    try {
      for (let record = waiting[0]; record; record = waiting[0]) {
        await store.append(name, record)
        waiting = waiting.filter((one) => one !== record)
      }
    } catch (thrown) {
      if (!(thrown instanceof StoreDown)) onFailure(thrown)
    } finally {
      isPutting = false
    }
  }

  function retry(): void {
    if (!isPutting && waiting.length > 0) void putAll()
  }

  return {
    append(record) {
      waiting = [...waiting, record].slice(-mostKept)
      retry()
    },
    retry,
    async read({ since, subject }) {
      const oldest = since === undefined ? '' : new Date(since).toISOString()
      const records = await store.readStream(name, { limit: mostRead }).catch(() => [])
      const found = records.map(({ value }) => value as AuditRecord)
      return found.filter(({ at, subject: about }) => at >= oldest && (subject === undefined || about === subject))
    },
  }
}

/** Those of ours and of all, each once, by time. */
export function mergeRecords(
  own: readonly AuditRecord[],
  all: readonly AuditRecord[],
  limit = 1_000,
): readonly AuditRecord[] {
  const placeOf = ({ writer, seq }: AuditRecord) => `${writer} ${seq}`
  const known = new Set(own.map(placeOf))
  const others = new Map(all.map((record) => [placeOf(record), record]))
  for (const place of known) others.delete(place)
  const merged = [...own, ...others.values()].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  return merged.slice(-limit)
}
