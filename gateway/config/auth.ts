// Who may use a Route, and who can tell, as the file says it.
// The danger it guards against: a route whose `auth` asks for something that nobody can have, or that anybody can make.
import { dirname, resolve } from 'node:path'
import { isLoopback } from '../message/addresses.ts'
import type { AuthRules, CoreSettings, IssuerSettings, SessionCheckSettings } from '../model.ts'
import type { CheckedAuth, CheckedIssuer, CheckedSessionCheck } from './authSchema.ts'
import { type KnownUpstreams, type Page, referredUpstream, refuse, wordsAt } from './page.ts'
import { below, valueAt } from './pointer.ts'
import { durationMs } from './schema.ts'

/** @param route its pointer. @returns undefined for one without, or after a mistake */
export function declareAuth(page: Page, route: string): AuthRules | undefined {
  const pointer = below(route, 'auth')
  const auth = page.checked.at<CheckedAuth>(pointer)
  if (!auth || auth === 'none') return undefined
  const { any, scopes = [], mode = 'enforce' } = auth
  const anyAt = (kind: string) => below(pointer, 'any', (any as readonly string[]).indexOf(kind))
  if (any.includes('jwt') && isEmpty(page.written.value))
    refuse(page, anyAt('jwt'), 'no token can be checked without issuers; add "issuers" at the top of the file')
  if (any.includes('session') && !page.written.has('/sessionCheck'))
    refuse(page, anyAt('session'), 'nobody knows the sessions; add "sessionCheck" at the top of the file')
  if (any.includes('session') && scopes.length > 0)
    page.findings.warn(
      page.written.positionOf(below(pointer, 'scopes')),
      'a session has no scopes, so with them nobody gets in by one; make it a route of its own, or remove "scopes" or "session"',
    )
  return { any: any as AuthRules['any'], scopes, mode: mode as AuthRules['mode'] }
}

function isEmpty(file: unknown): boolean {
  const issuers = valueAt(file, '/issuers')
  return Array.isArray(issuers) && issuers.length === 0
}

/** @param file the path of routes.yaml. @returns undefined after a mistake */
export function declareIssuers(page: Page, file: string): CoreSettings['issuers'] | undefined {
  const list = valueAt(page.written.value, '/issuers')
  const names = new Map<string, number>()
  const issuers = (Array.isArray(list) ? list : []).map((_, i) => {
    const pointer = below('/issuers', i)
    const written = page.checked.at<CheckedIssuer>(pointer)
    return written && isNew(page, pointer, written.issuer, names) ? issuerOf(page, pointer, written, file) : undefined
  })
  const sound = issuers.filter((issuer) => issuer !== undefined)
  return page.checked.at('/issuers') && sound.length === issuers.length ? sound : undefined
}

/** @param names the lines of the names so far; this one is added */
function isNew(page: Page, issuer: string, name: string, names: Map<string, number>): boolean {
  const pointer = below(issuer, 'issuer')
  const line = names.get(name)
  if (line !== undefined)
    refuse(page, pointer, `the issuer ${wordsAt(page, pointer)} is in line ${line} already; make them one`)
  names.set(name, page.written.positionOf(pointer).line)
  return line === undefined
}

function issuerOf(page: Page, pointer: string, written: CheckedIssuer, file: string): IssuerSettings | undefined {
  const { issuer, audience, algorithms, clockTolerance, type, subject, scopes, refresh, lastGood } = written
  const keys = keysOf(page, pointer, written, file)
  const refreshMs = durationMs(refresh)
  if (refreshMs < 1_000) refuse(page, below(pointer, 'refresh'), 'refresh must be at least 1s: each asks the issuer')
  if (!keys || refreshMs < 1_000 || !areFitting(page, pointer, written)) return undefined
  return {
    issuer,
    keys,
    audience,
    algorithms,
    clockToleranceMs: durationMs(clockTolerance),
    ...(type !== undefined && { type }),
    subject,
    scopes,
    refreshMs,
    lastGoodMs: durationMs(lastGood),
  }
}

function keysOf(page: Page, pointer: string, { jwks, secret }: CheckedIssuer, file: string) {
  if ((jwks === undefined) === (secret === undefined))
    return refuse(
      page,
      below(pointer, 'issuer'),
      'an issuer has either "jwks" (its public keys) or a "secret"; give one of them',
    )
  if (secret !== undefined) return { from: 'secret', secret } as const
  if (jwks === undefined || !/^[a-z][a-z0-9+.-]*:\/\//i.test(jwks))
    return { from: 'file', file: resolve(dirname(file), jwks ?? '') } as const
  const url = URL.parse(jwks)
  const at = below(pointer, 'jwks')
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    return refuse(
      page,
      at,
      `jwks must be an https:// URL without user and password, or the path of a file, not ${wordsAt(page, at)}`,
    )
  if (url.protocol === 'http:' && url.hostname !== 'localhost' && !isLoopback(url.hostname.replace(/^\[|\]$/g, '')))
    return refuse(page, at, "keys that come over http can be anybody's who is on the way; use https")
  return { from: 'url', url: jwks } as const
}

const literalSecret = `the secret is in every copy of this file; take it from the environment: secret: "\${JWT_SECRET}"`

/** Keys of one sort are never taken for those of another: a public key is no secret. */
function areFitting(page: Page, pointer: string, { secret, algorithms }: CheckedIssuer): boolean {
  const isShared = secret !== undefined
  const unfit = algorithms.findIndex((name) => name.startsWith('HS') !== isShared)
  const what = isShared
    ? 'an issuer with a "secret" signs by HS256, HS384 or HS512 alone; name those of them that it uses in "algorithms"'
    : 'HS algorithms are signed by a secret, not by keys that anybody can read; give the issuer a "secret", or remove them'
  if (unfit >= 0) refuse(page, below(pointer, 'algorithms'), what)
  const leastBytes = Math.max(...algorithms.map((name) => Number(name.slice(2)) / 8))
  if (isShared && page.written.wordsAt(below(pointer, 'secret')) === secret)
    page.findings.warn(page.written.positionOf(below(pointer, 'secret')), literalSecret)
  const isLong = !isShared || unfit >= 0 || Buffer.byteLength(secret) >= leastBytes
  if (!isLong)
    refuse(
      page,
      below(pointer, 'secret'),
      `the secret must have at least ${leastBytes} bytes; make one with: openssl rand -hex 32`,
    )
  return unfit < 0 && isLong
}

/** @returns undefined when there is none, or after a mistake */
export function declareSessionCheck(page: Page, known: KnownUpstreams): SessionCheckSettings | undefined {
  const check = page.checked.at<CheckedSessionCheck>('/sessionCheck')
  if (!check) return undefined
  const at = '/sessionCheck'
  const upstream = referredUpstream(page, below(at, 'upstream'), known)
  const cookie = page.checked.at<string>('/sessionCookie')
  if (cookie === undefined && !page.written.has('/sessionCookie'))
    refuse(page, at, 'sessionCheck needs to know the cookie; add "sessionCookie" at the top of the file')
  const keys = /^\$((?:\.[^.[\]*'"\s]+)+)$/.exec(check.subject)?.[1]?.slice(1).split('.')
  if (!keys) refuse(page, below(at, 'subject'), 'subject must be a path of keys such as $.user.id')
  if (!upstream || cookie === undefined || !keys) return undefined
  return { upstream: upstream.name, path: check.path, cookie, cacheMs: durationMs(check.cache), subject: keys }
}
