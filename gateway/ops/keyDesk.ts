// What operators may order of keys and know of them, with the audit of all that is done.
// The danger it guards against: a key that was issued or ended, and nobody can say by whom.
import type { KeyRecord } from '../identity/keyRecord.ts'
import type { KeyBook } from '../state/keys/keyBook.ts'
import type { Issued, KeyWish, Ordered } from '../state/keys/keyOrders.ts'
import type { KeyProgress, KeyReplicas } from '../state/keys/keyReplicas.ts'
import type { Record } from './record.ts'

export interface KeyDesk extends Pick<KeyBook, 'sights' | 'usesOf' | 'policy' | 'troubles' | 'silentMs' | 'recognise'> {
  issue(wish: KeyWish, by: string): Promise<Issued>
  rotate(id: string, by: string): Promise<Issued & { readonly before: KeyRecord }>
  /** In effect at once. @returns who may not have it in force yet, as words; empty when all have */
  revoke(id: string, ordered: Ordered): Promise<readonly string[]>
  /** @returns the ids that are known no more */
  adopt(ordered: Ordered): Promise<readonly string[]>
  /** How far each replica is; undefined while nothing is shared, or nobody can be asked. */
  progress(): Promise<ReadonlyMap<string, KeyProgress | undefined> | undefined>
}

interface Parts {
  readonly book: KeyBook
  readonly record: Pick<Record, 'audit'>
  /** Undefined while nothing is shared. */
  replicas(): KeyReplicas | undefined
  /** How many gateways there should be. */
  expected(): number
}

const confirmedWithinMs = 5_000

export function createKeyDesk({ book, record, replicas, expected }: Parts): KeyDesk {
  async function unconfirmed(isPublished: boolean): Promise<readonly string[]> {
    const [others, revisions] = [replicas(), book.revisions()]
    if (!others || !revisions) return []
    if (isPublished) return others.missing(revisions.published, confirmedWithinMs)
    return expected() > 1 ? [`all others of ${expected()} replicas: the store is not to be had`] : []
  }

  return {
    sights: () => book.sights(),
    usesOf: (id) => book.usesOf(id),
    policy: () => book.policy(),
    troubles: () => book.troubles(),
    silentMs: () => book.silentMs(),
    recognise: (key) => book.recognise(key),
    async issue(wish, by) {
      const issued = await book.issue(wish, by)
      record.audit({ kind: 'keyIssue', by, subject: issued.record.id, evidence: wordsOf(issued.record) }, 'key issued')
      return issued
    },
    async rotate(id, by) {
      const issued = await book.rotate(id, by)
      const sunset = new Date(issued.before.rotated?.sunsetAt ?? 0).toISOString()
      const reason = `both work until ${sunset}`
      record.audit({ kind: 'keyRotate', by, subject: id, to: issued.record.id, reason }, 'key rotated')
      return issued
    },
    async revoke(id, ordered) {
      try {
        return await unconfirmed(await book.revoke(id, ordered))
      } finally {
        // Also when the disk has refused it: it is in effect.
        if (book.isRevoked(id)) record.audit({ kind: 'keyRevoke', ...ordered, subject: id }, 'key revoked')
      }
    },
    async adopt(ordered) {
      const dropped = await book.adopt()
      record.audit({ kind: 'keyAdopt', ...ordered, evidence: { dropped } }, "the store's keys were taken over")
      return dropped
    },
    progress: async () => replicas()?.all(),
  }
}

function wordsOf({ owner, scopes, routes, rate, expiresAt }: KeyRecord) {
  return {
    owner,
    scopes,
    routes,
    rate,
    ...(expiresAt !== undefined && { expiresAt: new Date(expiresAt).toISOString() }),
  }
}
