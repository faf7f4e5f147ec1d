// What keeps the keys of ours, as a port: a file of this gateway, or a store that replicas share with that file as its mirror.
// The danger it guards against: a key that is looked up anywhere but in memory while its client waits.
import type { KeyRecord, Revocation } from '../../identity/keyRecord.ts'

export interface KeyStore {
  /** All that were ever issued, by id; in memory. */
  records(): ReadonlyMap<string, KeyRecord>
  revocations(): ReadonlyMap<string, Revocation>
  /**
   * `done` once it is on the disk, and in the store where there is one. `conflict`: somebody has changed it meanwhile, and
   * `records` has theirs. @throws KeysUnwritten when it is kept nowhere
   * @param record its version is one more than the one that it was made from; 1 for a new key
   */
  put(record: KeyRecord): Promise<'done' | 'conflict'>
  /** In effect at once. @returns whether all who share it can know; else they are told as soon as they can be */
  revoke(revocation: Revocation): Promise<boolean>
  /** Whether a replica may hold on to keys that others have revoked: how long nothing was heard, in milliseconds; 0 when alone. */
  silentMs(): number
  /** Why what is kept here and what the store holds are two different sets, as a sentence; undefined while they are one. */
  trouble(): string | undefined
  /** Takes the store's set in place of the one kept here. @returns the ids that are known no more */
  adopt(): Promise<readonly string[]>
  /** Is told after each change of what `records` and `revocations` give. @returns what ends it */
  onChange(listener: () => void): () => void
  /** Looks whether it has missed something; called each second. Never rejects. */
  round(): Promise<void>
  close(): void
}

/** Nothing was written, and nothing has changed. */
export class KeysUnwritten extends Error {
  override readonly name = 'KeysUnwritten'
}
