// A JSON Web Token taken apart (RFC 7515 §7.1, RFC 7519), and what must be true of it before its signature is worth a look.
// The danger it guards against: a token that is believed in something that only its key may decide: the algorithm, where the key
// is, what may be ignored. Nothing that it names is fetched or used as a key (jku, x5u, jwk, x5c; RFC 8725 §3.10).
import type { AuthRefusal, IssuerSettings } from '../model.ts'

type Members = Readonly<Record<string, unknown>>

export interface Token {
  readonly header: Members
  readonly claims: Members
}

const compact = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/

/** @returns undefined for what is no token */
export function readToken(text: string): Token | undefined {
  const [, head = '', payload = ''] = compact.exec(text) ?? []
  const [header, claims] = [membersOf(head), membersOf(payload)]
  return header && claims && { header, claims }
}

function membersOf(part: string): Members | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : undefined
  } catch {
    return undefined
  }
}

const longestKeyId = 256

/** Why it is refused whoever has signed it. @param nowMs milliseconds since the epoch */
export function refusalOf({ header, claims }: Token, settings: IssuerSettings, nowMs: number): AuthRefusal | undefined {
  if (typeof header.alg !== 'string' || !settings.algorithms.includes(header.alg)) return 'algorithm'
  // RFC 7515 §4.1.11: whoever does not understand an extension must refuse it, and there is none that is understood here.
  if (Object.hasOwn(header, 'crit')) return 'critical'
  if (!isOfType(header.typ, settings.type)) return 'type'
  if (header.kid !== undefined && !(typeof header.kid === 'string' && header.kid.length <= longestKeyId)) return 'key'
  if (!isFor(claims.aud, settings.audience)) return 'audience'
  return refusalByTime(claims, settings.clockToleranceMs, nowMs) ?? refusalOfSubject(claims[settings.subject])
}

/** RFC 8725 §3.11: a token made for something else (a logout, a proof of possession) says so. */
function isOfType(said: unknown, only: string | undefined): boolean {
  if (said === undefined) return only === undefined
  if (typeof said !== 'string') return false
  const type = said.toLowerCase().replace(/^application\//, '')
  return only === undefined ? type === 'jwt' || type === 'at+jwt' : type === only.toLowerCase()
}

function isFor(said: unknown, audience: readonly string[]): boolean {
  const all: readonly unknown[] = Array.isArray(said) ? said : [said]
  return all.some((one) => typeof one === 'string' && audience.includes(one))
}

/** A token without an end would never be refused again, so it is no token (RFC 7519 §4.1.4). */
function refusalByTime({ exp, nbf, iat }: Members, toleranceMs: number, nowMs: number): AuthRefusal | undefined {
  if (!isTime(exp) || (nbf !== undefined && !isTime(nbf)) || (iat !== undefined && !isTime(iat))) return 'malformed'
  if (exp * 1000 + toleranceMs <= nowMs) return 'expired'
  const earliestMs = Math.max(nbf ?? 0, iat ?? 0) * 1000 - toleranceMs
  return earliestMs > nowMs ? 'notYet' : undefined
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function refusalOfSubject(said: unknown): AuthRefusal | undefined {
  return typeof said === 'string' && said !== '' ? undefined : 'subject'
}

/** RFC 8693 §4.2 writes one text with spaces, others write a list. */
export function scopesOf(said: unknown): readonly string[] {
  if (typeof said === 'string') return said.split(' ').filter((scope) => scope !== '')
  return Array.isArray(said) ? said.filter((scope) => typeof scope === 'string') : []
}
