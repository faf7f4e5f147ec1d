// The rotations of one cycle, each as its operator would do it: made known, used, the former one ended. The gateway's own keys
// rotate by themselves beside them.
// The danger it guards against: a rotation that waits until nobody needs the old one any more; here all is in use at every moment.
import { randomBytes } from 'node:crypto'
import { type IssuerKey, makeIssuerKey } from './issuer.ts'
import type { KeyOrders } from './orders.ts'
import type { Credential, Purse } from './purse.ts'
import { clockToleranceMs, patienceMs, type RotationSite, refreshMs } from './site.ts'

/** A withdrawn key is good for no longer than until the issuer was asked again, and has had its time to answer. */
const withdrawnWithinMs = refreshMs + 5_000
const tokenLifeMs = 600_000
const shortLifeMs = 2_000
const clients = ['client 1', 'client 2', 'client 3', 'client 4']

export interface Rotating {
  readonly site: RotationSite
  readonly orders: KeyOrders
  readonly purse: Purse
  /** What is in use now. */
  readonly state: State
  wall(): number
  /** Resolves when a part of a cycle is over. */
  pause(): Promise<void>
}

export interface State {
  /** By the id of the key. */
  readonly keys: Map<string, Credential>
  issuerKey: IssuerKey
  readonly tokens: Credential[]
  readonly peppers: string[]
  readonly secrets: string[]
  readonly done: Record<RotationName, number>
}

export const rotationNames = ['apiKeys', 'revokedKeys', 'issuerKeys', 'peppers', 'upstreamSecrets'] as const
export type RotationName = (typeof rotationNames)[number]

export const makeSecret = (): string => randomBytes(24).toString('base64url')

const fieldsOfKey = (key: string) => ({ 'X-Api-Key': key })
const fieldsOfToken = (token: string) => ({ Authorization: `Bearer ${token}` })

/** What clients have when the run begins. */
export async function equip(rotating: Rotating): Promise<void> {
  const { site, state } = rotating
  for (const client of clients) await issue(rotating, client)
  const known = heardOfKeys(site)
  site.issuer.publish([state.issuerKey])
  await known
  await signTokens(rotating)
}

/** All at once. @throws Error naming what did not come to its end */
export async function rotateAll(rotating: Rotating): Promise<void> {
  const ways: Readonly<Record<RotationName, (rotating: Rotating) => Promise<void>>> = {
    apiKeys: rotateApiKeys,
    revokedKeys: revokeOne,
    issuerKeys: rotateIssuer,
    peppers: rotatePepper,
    upstreamSecrets: rotateSecret,
  }
  await Promise.all(
    rotationNames.map(async (name) => {
      await ways[name](rotating)
      rotating.state.done[name] += 1
    }),
  )
}

async function issue({ orders, purse, state }: Rotating, owner: string): Promise<string> {
  const { id, key } = await orders.issue(owner)
  state.keys.set(id, purse.add('key', fieldsOfKey(key)))
  return id
}

async function rotateApiKeys({ orders, purse, state }: Rotating): Promise<void> {
  for (const [id, credential] of [...state.keys]) {
    const next = await orders.rotate(id)
    const endsAt = Date.parse(next.replaces.endsAt)
    Object.assign(credential, { how: 'rotated key', goodUntil: endsAt, badFrom: endsAt })
    state.keys.delete(id)
    state.keys.set(next.id, purse.add('key', fieldsOfKey(next.key)))
  }
}

async function revokeOne(rotating: Rotating): Promise<void> {
  const { orders, purse, wall, pause } = rotating
  const { id, key } = await orders.issue('a client who leaves')
  const credential = purse.add('key', fieldsOfKey(key))
  await pause()
  Object.assign(credential, { how: 'revoked key', goodUntil: wall() })
  await orders.revoke(id)
  credential.badFrom = wall()
}

const heardOfKeys = ({ nextLine }: RotationSite) =>
  nextLine(({ msg, added = 0 }) => msg === "the issuer's keys were taken over" && added > 0, 'it has new keys')

async function rotateIssuer(rotating: Rotating): Promise<void> {
  const { site, state, wall, pause } = rotating
  const next = await makeIssuerKey(makeSecret())
  const heard = heardOfKeys(site)
  site.issuer.publish([state.issuerKey, next])
  await heard
  const before = state.tokens.splice(0)
  state.issuerKey = next
  await signTokens(rotating)
  await pause()
  const withdrawnAt = wall()
  site.issuer.publish([next])
  const [how, within] = ['token of a withdrawn key', wall() + withdrawnWithinMs]
  for (const token of before.filter(({ goodUntil }) => goodUntil > withdrawnAt))
    Object.assign(token, { how, goodUntil: withdrawnAt, badFrom: Math.min(token.badFrom, within) })
}

/** One for each client, and one of a short life. */
async function signTokens({ purse, state, wall }: Rotating): Promise<void> {
  const signOne = async (client: string, lifeMs: number) => {
    const endsAt = Math.ceil((wall() + lifeMs) / 1_000) * 1_000
    const token = await state.issuerKey.sign(client, endsAt)
    const end = { how: 'expired token', goodUntil: endsAt, badFrom: endsAt + clockToleranceMs }
    state.tokens.push(purse.add('token', fieldsOfToken(token), end))
  }
  for (const client of clients) await signOne(client, tokenLifeMs)
  await signOne('a client in a hurry', shortLifeMs)
}

/** The former one goes when no key that works needs it any more. */
async function rotatePepper({ site, orders, purse, state, wall, pause }: Rotating): Promise<void> {
  // Nobody uses this one: it tells when the gateway has read the new pepper, for it stays under the old one.
  const { id: unused } = await orders.issue('nobody')
  state.peppers.unshift(makeSecret())
  await site.replace('peppers', state.peppers)
  const deadline = wall() + patienceMs
  for (;;) {
    const old = (await orders.list()).filter(({ underOldPepper }) => underOldPepper).map(({ id }) => id)
    const isNeeded = purse.good('key').some(({ fields }) => old.some((id) => fields['X-Api-Key']?.startsWith(id)))
    if (old.includes(unused) && !isNeeded) break
    if (wall() > deadline) throw new Error(`keys that work are not under the new pepper within ${patienceMs} ms`)
    await pause()
  }
  state.peppers.splice(1)
  await site.replace('peppers', state.peppers)
}

/** The other end changes over while both are in the file. */
async function rotateSecret({ site, state, pause }: Rotating): Promise<void> {
  const { secrets } = state
  secrets.unshift(makeSecret())
  const read = site.nextLine(({ msg }) => msg === 'another secret is in use', 'it has another secret')
  await site.replace('secret', secrets)
  await read
  await pause()
  secrets.splice(1)
  await site.takeSecrets(secrets)
  await pause()
  await site.replace('secret', secrets)
}
