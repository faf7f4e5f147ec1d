// A key as `banyan keys` and the admin listener show it: everything but the key.
// The danger it guards against: a hash of a key on a page, and a date that nobody can read.
import { endOf, type KeyStanding } from '../identity/keyRecord.ts'
import type { KeySettings } from '../model.ts'
import type { KeySight } from '../state/keys/keyBook.ts'
import type { KeyUse } from '../state/keys/keyUses.ts'

/** All times in ISO 8601. */
export interface KeyView {
  readonly id: string
  readonly owner: string
  readonly scopes: readonly string[]
  /** Absent: all. */
  readonly routes?: readonly string[]
  readonly rate?: string
  readonly standing: KeyStanding
  /** By break-glass.yaml. */
  readonly denied?: true
  readonly createdBy: string
  readonly createdAt: string
  /** When it stops to work by itself. */
  readonly endsAt: string
  /** At the gateway that was asked. */
  readonly lastUsedAt?: string
  /** What takes its place. */
  readonly successor?: string
  readonly revoked?: { readonly at: string; readonly by: string; readonly reason: string }
  /** Its hash waits for its next use to come under the newest pepper. */
  readonly underOldPepper?: true
}

export interface KeyUseView {
  /** At which the hour begins. */
  readonly hour: string
  readonly route: string
  readonly address: string
  readonly count: number
  readonly refused: number
  readonly lastAt: string
}

const iso = (atMs: number) => new Date(atMs).toISOString()

export function keyView(sight: KeySight, policy: KeySettings): KeyView {
  const { record, standing, revocation, isDenied, lastUsedAt, isUnderNewestPepper } = sight
  const { id, owner, scopes, routes, rate, createdBy, createdAt, rotated } = record
  return {
    ...{ id, owner, scopes, standing, createdBy },
    ...(routes && { routes }),
    ...(rate !== undefined && { rate }),
    ...(isDenied && { denied: true }),
    createdAt: iso(createdAt),
    endsAt: iso(endOf(record, policy)),
    ...(lastUsedAt !== undefined && { lastUsedAt: iso(lastUsedAt) }),
    ...(rotated && { successor: rotated.successor }),
    ...(revocation && { revoked: { at: iso(revocation.at), by: revocation.by, reason: revocation.reason } }),
    ...(!isUnderNewestPepper && { underOldPepper: true }),
  }
}

export function useView({ hour, route, address, count, refused, lastAt }: KeyUse): KeyUseView {
  return { hour: iso(hour), route, address, count, refused, lastAt: iso(lastAt) }
}
