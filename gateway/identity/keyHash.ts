// Keys of ours as they lie on disks and in stores: HMAC-SHA-256 under a pepper that lies elsewhere. A key is hashed under every
// pepper that its gateway has, so that one who has only the old one, or only the new one, knows it too.
// The danger it guards against: who reads a backup of the keys can use them, or try guesses on them.
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

export interface Pepper {
  /** Says which one it is, and nothing of what it is. */
  readonly id: string
  readonly secret: string
}

/** By the id of the pepper, in base64url. */
export type KeyHashes = Readonly<Record<string, string>>

/** A pepper that could be guessed would be worth nothing. */
export const leastPepperLength = 32

export function pepperOf(secret: string): Pepper {
  const id = createHash('sha256').update('banyan pepper\0').update(secret).digest('base64url').slice(0, 10)
  return { id, secret }
}

export function hashesOf(key: string, peppers: readonly Pepper[]): KeyHashes {
  return Object.fromEntries(peppers.map((pepper) => [pepper.id, hashOf(key, pepper).toString('base64url')]))
}

/** @returns undefined when none of these peppers was used: then nobody can tell */
export function isKeyOf(key: string, hashes: KeyHashes, peppers: readonly Pepper[]): boolean | undefined {
  const pepper = peppers.find(({ id }) => Object.hasOwn(hashes, id))
  if (!pepper) return undefined
  const expected = Buffer.from(hashes[pepper.id] ?? '', 'base64url')
  const found = hashOf(key, pepper)
  return expected.length === found.length && timingSafeEqual(expected, found)
}

/** Whether one of these peppers is not used there yet. */
export function lacksPepper(hashes: KeyHashes, peppers: readonly Pepper[]): boolean {
  return peppers.some(({ id }) => !Object.hasOwn(hashes, id))
}

function hashOf(key: string, { secret }: Pepper): Buffer {
  return createHmac('sha256', secret).update(key).digest()
}
