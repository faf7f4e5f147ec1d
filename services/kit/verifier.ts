// Who may ask a service: whoever shows a token (RFC 7519) of an issuer that it was told to trust. That is the gateway, in
// Banyan-Token; and, for the day on which the gateway goes, whoever else, in Authorization.
// The danger it guards against: a way round the gateway, and so round all that it checks. So without keys nobody is let in.
import type { IncomingMessage } from 'node:http'
import { createRemoteJWKSet, customFetch, decodeJwt, errors, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { Site } from './site.ts'
import { Refusal } from './visit.ts'

export interface TrustedIssuer {
  /** What its tokens say in `iss`. */
  readonly name: string
  /** Where its keys are (RFC 7517 §5). */
  readonly jwks: URL
}

export interface Trust {
  readonly issuers: readonly TrustedIssuer[]
  /** Whom tokens must be for (`aud`). */
  readonly audience: string
}

/** How often an issuer is asked for its keys: one that it withdraws is good for no longer than that and `answerWithinMs`. */
export const refreshMs = 60_000
/** How long its last keys are good while it gives none. */
export const lastGoodMs = 3_600_000
/** By which its clock may differ. */
export const clockToleranceMs = 2_000
const answerWithinMs = 5_000
/**
 * Between two questions on behalf of tokens whose key is not there. The gateway publishes a key for a second at least before
 * it signs, so that a key which was not there so short a time ago has signed nothing.
 */
const pauseMs = 1_000

const rules: Omit<JWTVerifyOptions, 'issuer' | 'audience'> = {
  // Asymmetric ones alone: a public key is no secret (RFC 8725 §3.1).
  algorithms: ['ES256', 'EdDSA', 'RS256', 'PS256'],
  requiredClaims: ['exp'],
  clockTolerance: clockToleranceMs / 1_000,
}

/** What is wrong with an issuer's answer; all else that jose throws is wrong with the token. */
const keysMissing: ReadonlySet<string> = new Set(['ERR_JOSE_GENERIC', 'ERR_JWKS_TIMEOUT', 'ERR_JWKS_INVALID'])

/** The same site, which answers nobody without a token; as it is where there is nobody to trust. */
export function guarded(site: Omit<Site, 'upgrades'>, trust: Trust | undefined): Site {
  if (!trust) return site
  const { check, close } = createVerifier(trust)
  return {
    ...site,
    async answer(visit) {
      await check(visit.request)
      await site.answer(visit)
    },
    async close() {
      close()
      await site.close?.()
    },
  }
}

function createVerifier({ issuers, audience }: Trust) {
  const keysOf = new Map(issuers.map(({ name, jwks }) => [name, keysAt(jwks)]))
  // In time, and by nobody's leave: what a request waits for is at most a key that nobody has heard of.
  const refreshing = setInterval(() => {
    for (const keys of keysOf.values()) keys.reload().catch(() => {})
  }, refreshMs).unref()

  async function verify(token: string): Promise<void> {
    const issuer = decodeJwt(token).iss ?? ''
    const keys = keysOf.get(issuer)
    if (!keys) throw new errors.JWTInvalid('its issuer is not trusted here')
    await jwtVerify(token, keys, { ...rules, issuer, audience })
  }

  return {
    /** @throws Refusal 401 without a good token, 503 while nobody can say whether it is */
    async check({ headers }: IncomingMessage): Promise<void> {
      const token = headers['banyan-token'] ?? /^bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1]
      // RFC 6750 §3.1: who has shown nothing is told no more than how.
      if (typeof token !== 'string') throw new Refusal(401, 'there is no token', { 'WWW-Authenticate': 'Bearer' })
      try {
        await verify(token)
      } catch (thrown) {
        throw refusalOf(thrown)
      }
    },
    close: () => clearInterval(refreshing),
  }
}

/** Its last good set is kept while it gives none: jose asks again by itself only when that is too old, or lacks a key. */
function keysAt(jwks: URL) {
  let askedAtMs = Number.NEGATIVE_INFINITY
  return createRemoteJWKSet(jwks, {
    cacheMaxAge: lastGoodMs,
    cooldownDuration: pauseMs,
    timeoutDuration: answerWithinMs,
    // jose's own pause holds after good answers alone: without this one, made-up keys would have an issuer that is down asked each time.
    async [customFetch](url, options) {
      if (performance.now() - askedAtMs < pauseMs) throw new Error('it was asked a moment ago')
      askedAtMs = performance.now()
      return fetch(url, options)
    },
  })
}

function refusalOf(thrown: unknown): Refusal {
  if (!(thrown instanceof errors.JOSEError) || keysMissing.has(thrown.code))
    return new Refusal(503, 'the keys of the issuer cannot be had', { 'Retry-After': '1' })
  const fields = { 'WWW-Authenticate': 'Bearer error="invalid_token"' }
  return new Refusal(401, `the token is refused: ${thrown.message}`, fields)
}

/**
 * @param issuers `NAME=URL`, several with commas between them. @param audience as tokens name it
 * @throws Error saying what is wrong
 */
export function readTrust(issuers: string, audience: string): Trust {
  return { issuers: issuers.split(',').map(readIssuer), audience }
}

function readIssuer(written: string): TrustedIssuer {
  const [, name, url = ''] = /^(\S+?)=(https?:\S+)$/.exec(written.trim()) ?? []
  const jwks = URL.parse(url)
  if (name === undefined || !jwks) throw new Error('--issuers must be NAME=URL, several with commas between them')
  return { name, jwks }
}
