// What is done with keys that have been found where they should not be: whichever are ours are revoked, and what was done with them
// is told.
// The danger it guards against: somebody who ends another's key by telling of a leak that he has made up. A key's name is public, so
// only who has the whole key is believed.
import { findKeys, parseKey } from '../identity/keyFormat.ts'
import type { KeyStanding } from '../identity/keyRecord.ts'
import type { Ordered } from '../state/keys/keyOrders.ts'
import type { Gateway } from './gateway.ts'
import { type KeyUseView, useView } from './keyView.ts'

export interface LeakedKey {
  readonly id: string
  readonly owner: string
  /** Before anything was done. */
  readonly was: KeyStanding
  /** The oldest first. */
  readonly uses: readonly KeyUseView[]
  /** Who may not have the revocation in force yet. */
  readonly missing: readonly string[]
}

export interface Leak {
  readonly keys: readonly LeakedKey[]
  /** The names of those that have the form and were never issued, or belong to another fleet. */
  readonly unknown: readonly string[]
}

/** @param text whatever may have keys in it */
export async function closeLeak(text: string, ordered: Ordered, { keys }: Pick<Gateway, 'keys'>): Promise<Leak> {
  const found = findKeys(text)
  const ours = found.flatMap((key) => keys.recognise(key) ?? [])
  const leaked = await Promise.all(ours.map(({ id }) => closeOne(id, ordered, keys)))
  const unknown = found.filter((key) => !keys.recognise(key)).map((key) => parseKey(key)?.id ?? '')
  return { keys: leaked.flatMap((one) => one ?? []), unknown }
}

async function closeOne(id: string, ordered: Ordered, keys: Gateway['keys']): Promise<LeakedKey | undefined> {
  const sight = keys.sights().find(({ record }) => record.id === id)
  if (!sight) return undefined
  const { record, standing: was } = sight
  const missing = was === 'revoked' ? [] : await keys.revoke(id, ordered)
  return { id, owner: record.owner, was, uses: (await keys.usesOf(id)).map(useView), missing }
}
