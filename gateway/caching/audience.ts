// Whose request it is, as far as the stock is concerned (RFC 9111 §3.5): anybody's, somebody's, or that of one who has a stock of
// his own. The danger it guards against: one client's answer that is given to another.
import { hash } from 'node:crypto'
import { cookieOf } from '../message/cookies.ts'
import type { CacheRules, Exchange, Fields, Identity } from '../model.ts'

export interface Audience {
  /** Whether it has credentials, and no partition of its own: then it gets what is for all (§3.5). */
  readonly isKnown: boolean
  /** What its stock is kept under; empty for the common one. */
  readonly partition: string
}

type AudienceRules = Pick<CacheRules, 'isPerIdentity' | 'sessionCookie'>

const anybody: Audience = { isKnown: false, partition: '' }
const somebody: Audience = { isKnown: true, partition: '' }
const stranger: Audience = { isKnown: false, partition: 'nobody' }

export function audienceOf(
  { fields, identity }: Pick<Exchange, 'fields' | 'identity'>,
  { isPerIdentity, sessionCookie }: AudienceRules,
): Audience {
  const shown = credentialsOf(fields, sessionCookie)
  const credentials = identity ? provenBy(identity, shown) : shown
  if (credentials.length === 0) return isPerIdentity ? stranger : anybody
  return isPerIdentity ? { isKnown: false, partition: digestOf(credentials) } : somebody
}

/** By what each kind of identity is shown. */
const shownBy = { jwt: 'authorization', apiKey: '', session: 'session' } as const

/** Who it is in place of the credential that has proved it, and what else he has shown: an upstream may go by that. */
function provenBy(identity: Identity, shown: readonly string[]): readonly string[] {
  const others: string[] = []
  for (let i = 0; i < shown.length; i += 2) {
    const [kind = '', value = ''] = [shown[i], shown[i + 1]]
    if (kind !== shownBy[identity.kind]) others.push(kind, value)
  }
  return [...factsOf(identity), ...others]
}

/** Of each token another. */
const passing: ReadonlySet<string> = new Set(['exp', 'iat', 'nbf', 'jti', 'auth_time', 'nonce', 'at_hash', 'c_hash'])
const facts = new WeakMap<Identity, readonly string[]>()

/** All that an upstream may go by: a token that says something else of the same person is somebody else's, a fresh one is not. */
function factsOf(identity: Identity): readonly string[] {
  const known = facts.get(identity)
  if (known) return known
  const { id, scopes, claims = {} } = identity
  const lasting = Object.entries(claims).filter(([name]) => !passing.has(name))
  const made = ['identity', JSON.stringify([id, scopes, lasting.sort(([a], [b]) => (a < b ? -1 : 1))])]
  facts.set(identity, made)
  return made
}

/** All of them: who has the same session and another key is somebody else. Kind, value, kind, value … */
function credentialsOf(asked: Fields, sessionCookie: string | undefined): readonly string[] {
  const found: string[] = []
  for (const name of ['authorization', 'x-api-key']) for (const value of asked.all(name)) found.push(name, value)
  return asked.has('cookie') ? [...found, ...sessionsOf(asked, sessionCookie)] : found
}

/** Where nobody says which cookie is the session, each one may be. */
function sessionsOf(asked: Fields, name: string | undefined): readonly string[] {
  if (name === undefined) return ['cookie', asked.all('cookie').join('; ')]
  const session = cookieOf(asked, name)
  return session === undefined ? [] : ['session', session]
}

const mostDigests = 1_000
/** Longer ones are not remembered, so that a thousand of them stay small. */
const longestText = 4_096
/** To make one costs as much as all the rest of a hit, and who comes once comes again. */
const digests = new Map<string, string>()

/** No token that could be used, wherever the stock is kept. */
function digestOf(credentials: readonly string[]): string {
  let text = ''
  // With its length before each: whatever is in them, no two lists give one text.
  for (const part of credentials) text += `${part.length}:${part}`
  return digests.get(text) ?? remember(text, hash('sha256', text, 'base64url'))
}

function remember(text: string, digest: string): string {
  if (text.length > longestText) return digest
  const [oldest] = digests.keys()
  if (digests.size >= mostDigests && oldest !== undefined) digests.delete(oldest)
  digests.set(text, digest)
  return digest
}
