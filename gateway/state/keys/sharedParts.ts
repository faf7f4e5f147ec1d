// What keys that replicas share are made of.
// The danger it guards against: a failure of one part of them that is told by none.
import type { Clock } from '../../model.ts'
import type { Store } from '../store/port.ts'
import type { KeyFile } from './keyFile.ts'

export interface SharedParts {
  readonly mirror: KeyFile
  readonly store: Store
  readonly clock: Clock
  /** Revocations were taken over. */
  onApplied(): void
  /** Of what is not the store's being away. */
  tellFailure(thrown: unknown): void
}
