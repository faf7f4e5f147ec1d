// What is ordered of keys: issue, rotate, revoke, adopt. A key is told to whoever ordered it, once, and to nobody else.
// The danger it guards against: a key that is told and was kept nowhere, so that it works until the next restart.
import { makeKey, parseKey } from '../../identity/keyFormat.ts'
import { hashesOf, type Pepper } from '../../identity/keyHash.ts'
import { endOf, type KeyRecord, standingOf, works } from '../../identity/keyRecord.ts'
import type { Clock, KeySettings } from '../../model.ts'
import { type KeyStore, KeysUnwritten } from './keyStore.ts'

export interface KeyWish {
  readonly owner: string
  readonly scopes: readonly string[]
  /** Absent: all. */
  readonly routes?: readonly string[]
  readonly rate?: string
  /** From now on. */
  readonly expiresInMs?: number
}

export interface Issued {
  /** The one time that it is told. */
  readonly key: string
  readonly record: KeyRecord
}

export interface Ordered {
  readonly by: string
  readonly reason: string
}

/** Not done, and why, as a sentence with the remedy. */
export class KeyRefusal extends Error {
  override readonly name = 'KeyRefusal'
}

export interface KeyOrders {
  /** @throws KeyRefusal */
  issue(wish: KeyWish, by: string): Promise<Issued>
  /** @throws KeyRefusal */
  rotate(id: string, by: string): Promise<Issued & { readonly before: KeyRecord }>
  /** In effect at once. @returns whether the store knows. @throws KeyRefusal for an id that is none of ours; else why it is not on the disk */
  revoke(id: string, ordered: Ordered): Promise<boolean>
  /** @returns the ids that are known no more. @throws KeyRefusal */
  adopt(): Promise<readonly string[]>
}

interface Parts {
  store(): KeyStore | undefined
  peppers(): readonly Pepper[]
  /** Why keys that are issued here would be known to nobody else, as a sentence. */
  obstacle(): string | undefined
  policy(): KeySettings
  readonly clock: Pick<Clock, 'wall'>
  random(bytes: number): Uint8Array
}

export function createKeyOrders(parts: Parts): KeyOrders {
  const { clock, policy } = parts
  const storeOrNot = () => parts.store() ?? refuse('the keys of this gateway cannot be had; its log says why')

  function make(env: string): { readonly key: string; readonly id: string } {
    for (;;) {
      const key = makeKey(env, parts.random)
      const id = parseKey(key)?.id ?? ''
      if (!storeOrNot().records().has(id)) return { key, id }
    }
  }

  async function add(
    about: Omit<KeyRecord, 'id' | 'version' | 'hashes' | 'line'> & { readonly line?: string },
  ): Promise<Issued> {
    storeOrNot()
    const obstacle = parts.obstacle()
    if (obstacle) refuse(obstacle)
    const { key, id } = make(about.env)
    const record: KeyRecord = { line: id, ...about, id, version: 1, hashes: hashesOf(key, parts.peppers()) }
    await storeOrNot().put(record).catch(refuseUnwritten)
    return { key, record }
  }

  async function replace(id: string, rotated: NonNullable<KeyRecord['rotated']>): Promise<KeyRecord> {
    for (;;) {
      const now = found(id)
      refuseRotated(now)
      const after = { ...now, version: now.version + 1, rotated }
      // It may have been used meanwhile, and brought under another pepper.
      if ((await storeOrNot().put(after).catch(refuseUnwritten)) === 'done') return after
    }
  }

  function found(id: string): KeyRecord {
    return storeOrNot().records().get(id) ?? refuse(`no key is called "${id}"; banyan keys list names them`)
  }

  return {
    issue({ expiresInMs, ...wish }, by) {
      const createdAt = clock.wall()
      const expires = expiresInMs === undefined ? {} : { expiresAt: createdAt + expiresInMs }
      return add({ ...wish, ...expires, env: policy().env, createdBy: by, createdAt })
    },
    async rotate(id, by) {
      const before = found(id)
      const nowMs = clock.wall()
      const standing = standingOf(before, storeOrNot().revocations().get(id), policy(), nowMs)
      refuseRotated(before)
      if (standing === 'revoked' || standing === 'expired')
        refuse(`${id} is ${standing}; issue a new key: banyan keys issue`)
      const issued = await add(successorOf(before, by, nowMs))
      // One that is too old already gets no time on top.
      const most = works(standing) ? nowMs + policy().overlapMs : nowMs
      const sunsetAt = Math.min(most, endOf(before, policy()))
      try {
        return { ...issued, before: await replace(id, { at: nowMs, by, successor: issued.record.id, sunsetAt }) }
      } catch (thrown) {
        await storeOrNot().revoke({ id: issued.record.id, at: nowMs, by, reason: `${id} was not rotated` })
        throw thrown
      }
    },
    async revoke(id, { by, reason }) {
      found(id)
      return storeOrNot().revoke({ id, at: clock.wall(), by, reason })
    },
    adopt: () => storeOrNot().adopt().catch(refuseUnwritten),
  }
}

function refuseRotated({ id, rotated }: KeyRecord): void {
  if (rotated) refuse(`${id} has a successor already; rotate that one: ${rotated.successor}`)
}

/** It lives as long as the one before it was meant to. */
function successorOf(before: KeyRecord, by: string, nowMs: number) {
  const { owner, scopes, routes, rate, line, env, createdAt, expiresAt } = before
  return {
    ...{ owner, scopes, line, env, createdBy: by, createdAt: nowMs },
    ...(routes && { routes }),
    ...(rate !== undefined && { rate }),
    ...(expiresAt !== undefined && { expiresAt: nowMs + (expiresAt - createdAt) }),
  }
}

function refuse(why: string): never {
  throw new KeyRefusal(why)
}

function refuseUnwritten(thrown: unknown): never {
  throw thrown instanceof KeysUnwritten ? new KeyRefusal(`nothing was done: ${thrown.message}`) : thrown
}
