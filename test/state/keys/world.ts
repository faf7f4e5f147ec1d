// Stores of keys under test, and keys to put there.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { makeKey, parseKey } from '../../../gateway/identity/keyFormat.ts'
import { hashesOf, pepperOf } from '../../../gateway/identity/keyHash.ts'
import type { KeyRecord, Revocation } from '../../../gateway/identity/keyRecord.ts'
import { openKeyFile } from '../../../gateway/state/keys/keyFile.ts'
import { type SharedKeys, shareKeys } from '../../../gateway/state/keys/sharedKeys.ts'
import type { Store } from '../../../gateway/state/store.ts'
import { clock } from '../store/stores.ts'

export const pepper = pepperOf('a pepper that only these tests have, long enough')

export async function newStateDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-keys-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface Made {
  readonly key: string
  readonly record: KeyRecord
}

let made = 0

export function newKey(parts: Partial<KeyRecord> = {}): Made {
  const seed = ++made
  const key = makeKey('live', (bytes) =>
    Uint8Array.from({ length: bytes }, (_, i) => (i < 4 ? seed >> (i * 6) : i) % 62),
  )
  const id = parseKey(key)?.id ?? ''
  const record: KeyRecord = {
    ...{ id, version: 1, hashes: hashesOf(key, [pepper]), env: 'live', owner: `owner ${seed}`, scopes: [] },
    ...{ createdBy: 'cli:ann', createdAt: Date.now(), line: id },
    ...parts,
  }
  return { key, record }
}

export function revocationOf({ record }: Made, reason = 'leaked'): Revocation {
  return { id: record.id, at: Date.now(), by: 'cli:ann', reason }
}

/** One gateway's keys, shared through that store. */
export async function share(store: Store, stateDir?: string): Promise<SharedKeys> {
  const mirror = openKeyFile(stateDir ?? (await newStateDir()))
  const shared = await shareKeys({
    mirror,
    store,
    clock,
    onApplied: () => {},
    tellFailure(thrown) {
      throw thrown
    },
  })
  onTestFinished(() => shared.close())
  return shared
}
