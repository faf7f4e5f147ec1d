// Whose request it is, as far as the stock is concerned (RFC 9111 §3.5): anybody's, somebody's, or that of one who has a stock of
// his own. The danger it guards against: one client's answer that is given to another.
import { hash } from 'node:crypto'
import { cookieOf } from '../message/cookies.ts'
import type { CacheRules, Fields } from '../model.ts'

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

export function audienceOf(asked: Fields, { isPerIdentity, sessionCookie }: AudienceRules): Audience {
  const credentials = credentialsOf(asked, sessionCookie)
  if (credentials.length === 0) return isPerIdentity ? stranger : anybody
  return isPerIdentity ? { isKnown: false, partition: digestOf(credentials) } : somebody
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

/** No token that could be used, wherever the stock is kept. */
function digestOf(credentials: readonly string[]): string {
  return hash('sha256', JSON.stringify(credentials), 'base64url')
}
