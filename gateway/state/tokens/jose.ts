// What jose does for us: one signature checked by one key. Nothing else of it is used, because its remote key sets forget the
// last good keys and fetch for every unknown one.
// The danger it guards against: a key that is used for another kind of signature than it was made for.
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto'
import { type JWTPayload, jwtVerify } from 'jose'
import type { IssuerSettings } from '../../model.ts'

/** A key of an issuer, and what it may be used for. */
export interface TrustedKey {
  readonly id: string | undefined
  readonly algorithms: readonly string[]
  readonly key: KeyObject
  /** The same for the same key in the same use. */
  readonly mark: string
  /** The issuer does not name it any more: what it has signed is worth nothing from then on. */
  isWithdrawn: boolean
}

/** @returns what the token claims, or undefined when that key has not signed it, or something else of it does not hold */
export async function verify(
  token: string,
  { key, algorithms }: TrustedKey,
  settings: IssuerSettings,
  nowMs: number,
): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: algorithms.filter((algorithm) => settings.algorithms.includes(algorithm)),
      issuer: settings.issuer,
      audience: [...settings.audience],
      clockTolerance: settings.clockToleranceMs / 1000,
      currentDate: new Date(nowMs),
      requiredClaims: ['exp'],
    })
    return payload
  } catch {
    return undefined
  }
}

const mostKeys = 100

/** @returns the keys of a JWK Set (RFC 7517 §5) that can check signatures, and how many of it cannot; or why it is none */
export function readKeySet(text: string): string | { readonly keys: readonly TrustedKey[]; readonly unfit: number } {
  const written = listIn(text)
  if (!written) return 'it is no JWK Set: JSON with a list "keys"'
  const keys = written.slice(0, mostKeys).flatMap((jwk: unknown) => publicKeyOf(jwk) ?? [])
  return { keys, unfit: written.length - keys.length }
}

function listIn(text: string): readonly unknown[] | undefined {
  try {
    const keys: unknown = JSON.parse(text)?.keys
    return Array.isArray(keys) ? keys : undefined
  } catch {
    return undefined
  }
}

/** What a set says that is meant for signatures of others; never a shared secret, which anybody who reads the set could sign with. */
function publicKeyOf(written: unknown): TrustedKey | undefined {
  if (typeof written !== 'object' || written === null) return undefined
  const { kty, kid, use, alg, key_ops: operations, n, e, crv, x, y } = written as Record<string, unknown>
  if ((use ?? 'sig') !== 'sig' || (Array.isArray(operations) && !operations.includes('verify'))) return undefined
  try {
    const jwk = { kty, n, e, crv, x, y } as Record<string, string>
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const algorithms = fittingAlgorithms(key).filter((fitting) => alg === undefined || alg === fitting)
    if (algorithms.length === 0) return undefined
    const id = typeof kid === 'string' ? kid : undefined
    return { id, algorithms, key, mark: JSON.stringify([id, algorithms, jwk]), isWithdrawn: false }
  } catch {
    return undefined
  }
}

const ofCurves: Readonly<Record<string, readonly string[]>> = {
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
}
const ofRsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
/** RFC 7518 §3.3. */
const leastRsaBits = 2_048

function fittingAlgorithms({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  const { modulusLength = 0, publicExponent = 0n, namedCurve = '' } = asymmetricKeyDetails ?? {}
  if (asymmetricKeyType === 'ed25519') return ['EdDSA', 'Ed25519']
  if (asymmetricKeyType === 'ec') return ofCurves[namedCurve] ?? []
  return asymmetricKeyType === 'rsa' && modulusLength >= leastRsaBits && publicExponent > 2n ? ofRsa : []
}

/** @param secret shared with the issuer */
export function secretKeyOf(secret: string): TrustedKey {
  const key = createSecretKey(Buffer.from(secret, 'utf8'))
  return { id: undefined, algorithms: ['HS256', 'HS384', 'HS512'], key, mark: 'secret', isWithdrawn: false }
}
