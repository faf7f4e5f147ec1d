// Judges a key that a client has sent. Nothing is asked of anybody: all that counts is in memory.
// The danger it guards against: an answer that tells a guesser how near he is. So the form is judged first, which costs nothing
// and says nothing, then whether it is that key, and only who has proved that hears more.

import { parseKey } from '../../identity/keyFormat.ts'
import { hashesOf, isKeyOf, lacksPepper, type Pepper } from '../../identity/keyHash.ts'
import { type KeyRecord, standingOf, works } from '../../identity/keyRecord.ts'
import type { ApiKeys } from '../../model/ports.ts'
import type { Identity, KeyCheck, KeySettings } from '../../model.ts'
import type { KeyStore } from './keyStore.ts'
import type { KeyUses } from './keyUses.ts'

export interface CheckParts {
  /** Undefined while the keys cannot be had. */
  store(): KeyStore | undefined
  peppers(): readonly Pepper[]
  policy(): KeySettings
  /** By break-glass.yaml. */
  isDenied(id: string): boolean
  readonly uses: Pick<KeyUses, 'note'>
  /** Monotonic milliseconds. */
  now(): number
}

export type KeyVerdict = 'ok' | Extract<KeyCheck, { ok: false }>['why']

/** @param told each verdict, for counting */
export function createKeyCheck(parts: CheckParts, told: (verdict: KeyVerdict) => void): ApiKeys['check'] {
  const identities = new WeakMap<KeyRecord, Identity>()
  const rehash = createRehash(parts)

  function identityOf(record: KeyRecord): Identity {
    const { id, line, owner, scopes, rate } = record
    // A successor is the same client: its limit, its side and its stock go on.
    const identity = identities.get(record) ?? {
      kind: 'apiKey',
      id: `apiKey:${line}`,
      subject: owner,
      scopes,
      keyId: id,
      ...(rate !== undefined && { rate }),
    }
    identities.set(record, identity)
    return identity
  }

  function refuse(why: Exclude<KeyVerdict, 'ok'>, keyId?: string): KeyCheck {
    told(why)
    return { ok: false, why, ...(keyId !== undefined && { keyId }) }
  }

  return (key, asked) => {
    const parsed = parseKey(key)
    if (!parsed) return refuse('malformed')
    const store = parts.store()
    if (!store) return refuse('stale')
    const record = store.records().get(parsed.id)
    const peppers = parts.peppers()
    // Without any nobody can tell, and a good key is not to be thrown away for that.
    if (peppers.length === 0) return refuse('stale')
    if (!record || !isKeyOf(key, record.hashes, peppers)) return refuse('unknown')
    const why = whyNot(record, store, parts, asked)
    parts.uses.note(record.id, { ...asked, isRefused: why !== undefined })
    if (why) return refuse(why, record.id)
    told('ok')
    rehash(key, record, store)
    const { rotated } = record
    return {
      ok: true,
      identity: identityOf(record),
      ...(rotated && { deprecated: { sinceMs: rotated.at, sunsetMs: rotated.sunsetAt } }),
    }
  }
}

function whyNot(
  record: KeyRecord,
  store: KeyStore,
  { policy, isDenied }: CheckParts,
  { route, atMs }: Parameters<ApiKeys['check']>[1],
): Exclude<KeyVerdict, 'ok'> | undefined {
  const { id, routes } = record
  const standing = standingOf(record, store.revocations().get(id), policy(), atMs)
  if (isDenied(id) || standing === 'revoked') return 'revoked'
  if (standing === 'tooOld') return 'tooOld'
  if (!works(standing)) return 'expired'
  if (routes && !routes.includes(route)) return 'wrongRoute'
  const { staleAfterMs = Number.POSITIVE_INFINITY } = policy()
  return store.silentMs() > staleAfterMs ? 'stale' : undefined
}

const againAfterMs = 30_000

/** With the key in hand, what lies on the disk is brought under the newest pepper. */
function createRehash({ peppers, now }: CheckParts) {
  const tried = new Map<string, number>()
  return (key: string, record: KeyRecord, store: KeyStore): void => {
    if (!lacksPepper(record.hashes, peppers())) return
    const nowMs = now()
    if (nowMs - (tried.get(record.id) ?? Number.NEGATIVE_INFINITY) < againAfterMs) return
    tried.set(record.id, nowMs)
    const rehashed = { ...record, version: record.version + 1, hashes: hashesOf(key, peppers()) }
    // Who cannot write it now does so at a later use.
    store.put(rehashed).then(
      () => tried.delete(record.id),
      () => {},
    )
  }
}
