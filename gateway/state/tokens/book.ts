// Whose token it is: its issuer's rules first, then the signature by one of its issuer's keys, once for each token.
// The dangers it guards against: a token of one issuer that is believed by the key of another, and one that outlives its key.

import { readToken, refusalOf, scopesOf, type Token } from '../../identity/token.ts'
import type { AuthCheck, AuthRefusal, Identity, IssuerSettings } from '../../model.ts'
import { createCheckRoom } from './checkRoom.ts'
import { createIssuers, type Issuer, type IssuersParts, type IssuerView } from './issuers.ts'
import { type TrustedKey, verify } from './jose.ts'
import { createRemembered, digestOf } from './remembered.ts'

export interface TokenBook {
  /** At once when the token is known, or refused without a look at its signature. Never rejects. */
  check(token: string, may: { readonly ask: boolean }): AuthCheck | Promise<AuthCheck>
  follow(issuers: readonly IssuerSettings[]): void
  views(): readonly IssuerView[]
  figures(): TokenFigures
  close(): Promise<void>
}

export interface TokenFigures {
  readonly remembered: number
  /** Signatures that were checked. */
  readonly signatures: number
}

/** Of tokens under check, those that wait for their issuer's keys included. */
const mostFlights = 2_000

export function createTokens(parts: IssuersParts): TokenBook {
  const { clock } = parts
  const issuers = createIssuers(parts)
  const remembered = createRemembered()
  const room = createCheckRoom()
  /** By the hash of the token: those who send the same one wait for the same check. */
  const flights = new Map<string, Promise<AuthCheck>>()
  let signatures = 0

  async function signer(token: string, issuer: Issuer, keys: readonly TrustedKey[]) {
    for (const key of keys) {
      signatures += 1
      const claims = await verify(token, key, issuer.settings, clock.wall())
      if (claims && !key.isWithdrawn) return { key, claims }
    }
    return undefined
  }

  async function checkSignature(token: string, read: Token, issuer: Issuer, digest: string): Promise<AuthCheck> {
    const keys = await keysFor(read, issuer)
    if (typeof keys === 'string') return refused(keys)
    const signed = room.run(() => signer(token, issuer, keys))
    if (!signed) return refused('busy')
    const found = await signed
    if (!found) return refused('signature')
    const { claims, key } = found
    const untilMs = Number(claims.exp) * 1000 + issuer.settings.clockToleranceMs
    const check: AuthCheck = { ok: true, identity: identityOf(claims, issuer.settings), untilMs }
    const isTrusted = () => !key.isWithdrawn && !issuer.isRetired && issuer.keys.isTrusted()
    remembered.put(digest, { check, untilMs, isTrusted }, token.length)
    return check
  }

  /** @param token that is not known, or not any more */
  function checkAnew(token: string, digest: string): AuthCheck | Promise<AuthCheck> {
    const read = readToken(token)
    if (!read) return refused('malformed')
    const issuer = issuers.of(read.claims.iss)
    if (!issuer) return refused('issuer')
    const refusal = refusalOf(read, issuer.settings, clock.wall())
    if (refusal) return refused(refusal)
    if (flights.size >= mostFlights) return refused('busy')
    const checking = checkSignature(token, read, issuer, digest).finally(() => flights.delete(digest))
    flights.set(digest, checking)
    return checking
  }

  return {
    check(token, may) {
      const digest = digestOf(token)
      const known = remembered.get(digest, clock.wall()) ?? flights.get(digest)
      return known ?? (may.ask ? checkAnew(token, digest) : refused('screened'))
    },
    follow: issuers.follow,
    views: issuers.views,
    figures: () => ({ remembered: remembered.size, signatures }),
    close: issuers.close,
  }
}

async function keysFor({ header }: Token, { keys }: Issuer): Promise<readonly TrustedKey[] | AuthRefusal> {
  const id = header.kid as string | undefined
  const algorithm = header.alg as string
  let found = keys.find(id, algorithm)
  if (found.length === 0) {
    await keys.lookFor(id)
    found = keys.find(id, algorithm)
  }
  if (!keys.isTrusted()) return 'unavailable'
  return found.length === 0 ? 'key' : found
}

function refused(why: AuthRefusal): AuthCheck {
  return { ok: false, kind: 'jwt', why }
}

/** What makes a subject one is its issuer; an issuer has no spaces. */
function identityOf(claims: Readonly<Record<string, unknown>>, { issuer, subject, scopes }: IssuerSettings): Identity {
  const who = String(claims[subject])
  return { kind: 'jwt', id: `jwt ${issuer} ${who}`, subject: who, scopes: scopesOf(claims[scopes]), issuer, claims }
}
