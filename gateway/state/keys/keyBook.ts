// What the rest of the gateway may ask of keys of ours. keys.ts is what answers.
// The danger it guards against: an operator's page that knows how keys are kept, and holds one.
import type { KeyRecord, KeyStanding, Revocation } from '../../identity/keyRecord.ts'
import type { ApiKeys } from '../../model/ports.ts'
import type { Clock, KeySettings } from '../../model.ts'
import type { Store } from '../store/port.ts'
import type { KeyVerdict } from './keyCheck.ts'
import type { KeyOrders } from './keyOrders.ts'
import type { KeyStreams } from './keyStreams.ts'
import type { KeyUse } from './keyUses.ts'
import type { SharedKeys } from './sharedKeys.ts'

/** A key as operators see it. */
export interface KeySight {
  readonly record: KeyRecord
  readonly revocation?: Revocation
  readonly standing: KeyStanding
  /** Whether break-glass.yaml denies it. */
  readonly isDenied: boolean
  /** Milliseconds since the epoch; at this gateway. */
  readonly lastUsedAt?: number
  /** Whether it lies under the newest pepper. */
  readonly isUnderNewestPepper: boolean
}

export interface KeyBook extends ApiKeys, KeyOrders {
  sights(): readonly KeySight[]
  /** Of which key that is; undefined for one that is none of ours, whatever it calls itself. */
  recognise(key: string): KeyRecord | undefined
  isRevoked(id: string): boolean
  /** At all replicas. */
  usesOf(id: string): Promise<readonly KeyUse[]>
  verdicts(): ReadonlyMap<KeyVerdict, number>
  streams(): ReturnType<KeyStreams['count']>
  policy(): KeySettings
  /** What is wrong, as sentences with the remedy. */
  troubles(): readonly string[]
  /** How long nothing was heard of revocations elsewhere. */
  silentMs(): number
  /** Of the revocations in force here, and of the newest that was ordered here; undefined while nothing is shared. */
  revisions(): ReturnType<SharedKeys['revisions']> | undefined
  /** What break-glass.yaml denies, in place of what it denied before. */
  deny(ids: ReadonlySet<string>): void
  follow(settings: KeySettings): void
  /** Once. @param store undefined while nothing is shared */
  open(stateDir: string, store: Store | undefined): Promise<void>
  /** Called each second. Never rejects. */
  round(): Promise<void>
  close(): Promise<void>
}

export interface KeyBookParts {
  readonly clock: Clock
  /** Revocations of others are in force here. */
  onApplied(): void
  /** As a sentence, once for each as long as it lasts. */
  onTrouble(reason: string): void
}
