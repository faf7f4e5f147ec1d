// What knows who clients are and how much they may: issuers, keys of ours, sessions and limits, put together.
// The danger it guards against: a key that is revoked in one place and good in another.
import type { Clock, Snapshot } from './model.ts'
import type { Log } from './ops/log.ts'

export interface Identifying {
  /** With the Snapshot that is served from now on, in that moment. */
  follow(snapshot: Snapshot): void
  /** Once, when stateDir is known. */
  open(stateDir: string): Promise<void>
  close(): Promise<void>
}

export function assembleIdentifying(_clock: Clock, _log: Pick<Log, 'life'>): Identifying {
  return {
    follow() {},
    async open() {},
    async close() {},
  }
}
