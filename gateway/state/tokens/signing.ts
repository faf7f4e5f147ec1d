// What jose does for our own tokens: keys are made, kept as text, and sign.
// The danger it guards against: a private part in what is published.
import { exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import type { RingKey } from '../../identity/signingRing.ts'
import type { SigningSettings } from '../../model.ts'

/** With its private part: it goes nowhere but into stateDir. */
export interface SigningKey extends RingKey {
  readonly algorithm: SigningSettings['algorithm']
  readonly jwk: JWK
}

/** RFC 7517 §4, as anybody may have it. */
export type PublicKey = Readonly<Record<'kty' | 'kid' | 'use' | 'alg' | 'crv' | 'x', string>> & { readonly y?: string }

export async function makeKey(algorithm: SigningSettings['algorithm'], place: RingKey): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
  return { ...place, algorithm, jwk: await exportJWK(privateKey) }
}

/** Of the text that they are kept as. Rejects when they cannot be used: another version may have written them. */
export async function readKeys(text: string): Promise<readonly SigningKey[]> {
  const { keys } = JSON.parse(text) as { keys: readonly SigningKey[] }
  for (const { id, signsFromMs, algorithm, jwk } of keys) {
    const isSound = typeof id === 'string' && typeof signsFromMs === 'number' && typeof jwk.d === 'string'
    if (!isSound) throw new Error('they are not as they are written here')
    await importJWK(jwk, algorithm)
  }
  return keys
}

export function publicPart({ id, algorithm, jwk }: SigningKey): PublicKey {
  const { kty = '', crv = '', x = '', y } = jwk
  return { kty, crv, x, ...(y !== undefined && { y }), kid: id, use: 'sig', alg: algorithm }
}

export interface Claims {
  readonly issuer: string
  readonly audience: string
  readonly subject: string | undefined
  readonly scopes: readonly string[]
  readonly issuedAtMs: number
  readonly lifeMs: number
}

/** RFC 7519; `scope` as in RFC 9068 §2.2.3. */
export async function sign({ id, algorithm, jwk }: SigningKey, claims: Claims): Promise<string> {
  const issuedAt = Math.floor(claims.issuedAtMs / 1_000)
  const token = new SignJWT({ scope: claims.scopes.join(' ') })
    .setProtectedHeader({ alg: algorithm, kid: id, typ: 'JWT' })
    .setIssuer(claims.issuer)
    .setAudience(claims.audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(Math.ceil((claims.issuedAtMs + claims.lifeMs) / 1_000))
  if (claims.subject !== undefined) token.setSubject(claims.subject)
  return token.sign(await importJWK(jwk, algorithm))
}
