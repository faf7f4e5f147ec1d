// Records on their way to the disk.
// The danger it guards against: a disk that takes nothing for hours, and a process that dies of what it keeps meanwhile.
import { type AuditEntry, type AuditRecord, wordsOf } from './auditRecord.ts'

export interface AuditQueue {
  /** That are not on the disk, those that were lost included. */
  readonly missing: number
  readonly isEmpty: boolean
  /** Resolves with `take`; rejects when the disk refuses it for now, or when there is no room for it. */
  add(entry: AuditEntry): Promise<AuditRecord>
  /** The words of the first ones. */
  next(): readonly string[]
  /** Those are on the disk now. */
  take(records: readonly AuditRecord[]): void
  /** Tells all that wait; they stay in the queue. */
  refuse(reason: string): void
}

/** Hashing more at a time would keep requests waiting for milliseconds. */
const mostAtOnce = 256
/** Beyond it records are counted and lost, and a record says so later. */
const mostCharacters = 8 * 1024 * 1024

interface Waiting extends PromiseWithResolvers<AuditRecord> {
  readonly words: string
}

/** @param wall milliseconds since the epoch */
export function createAuditQueue(wall: () => number): AuditQueue {
  const queue: Waiting[] = []
  let characters = 0
  let lost = 0

  function push(entry: AuditEntry): Promise<AuditRecord> {
    const waiting = { ...Promise.withResolvers<AuditRecord>(), words: wordsOf(entry, wall()) }
    characters += waiting.words.length
    queue.push(waiting)
    return ignorable(waiting.promise)
  }

  function tellLost(): void {
    if (lost > 0)
      void push({ kind: 'lost', by: 'audit', reason: 'the disk took nothing for too long', evidence: { lost } })
    lost = 0
  }

  return {
    get missing() {
      return queue.length + lost
    },
    get isEmpty() {
      return queue.length === 0
    },
    add(entry) {
      if (characters <= mostCharacters) return push(entry)
      lost++
      return refused('the audit has no room for it: the disk has taken nothing for too long')
    },
    next: () => queue.slice(0, mostAtOnce).map(({ words }) => words),
    take(records) {
      const taken = queue.splice(0, records.length)
      for (const [i, { words, resolve }] of taken.entries()) {
        characters -= words.length
        resolve(records[i] as AuditRecord)
      }
      tellLost()
    },
    refuse(reason) {
      for (const { reject } of queue) reject(new Error(`not in the audit yet: ${reason}`))
    },
  }
}

export function refused(reason: string): Promise<never> {
  return ignorable(Promise.reject(new Error(reason)))
}

/** Most callers do not wait for it, and must not fall over its failure. */
function ignorable<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}
