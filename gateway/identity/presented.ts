// Which of a request's credentials is looked at: what it says itself (Authorization, X-Api-Key) before the cookie that a browser
// adds to whatever it sends. One that is wrong is not made good by another.
// The danger it guards against: two credentials of which one is checked and the other believed.
import { cookieOf } from '../message/cookies.ts'
import { fieldsOf, sameName } from '../message/fields.ts'
import type { AuthRules, CredentialKind, Fields } from '../model.ts'

export interface Presented {
  readonly kind: CredentialKind
  /** Empty when it is malformed. */
  readonly value: string
}

/** How keys of ours begin: the gateway removes those, and no others, from what goes on. */
const keyPrefix = 'byn_'

/** @param sessionCookie its name. @returns undefined when there is none of a kind that the Route takes */
export function presentedBy(
  fields: Fields,
  { any }: Pick<AuthRules, 'any'>,
  sessionCookie: string | undefined,
): Presented | undefined {
  const bearer = bearerOf(fields)
  if (bearer !== undefined) {
    const kind = bearer.startsWith(keyPrefix) ? 'apiKey' : 'jwt'
    if (any.includes(kind)) return { kind, value: bearer }
  }
  const [key, ...others] = any.includes('apiKey') ? fields.all('x-api-key') : []
  if (key !== undefined) return { kind: 'apiKey', value: others.length === 0 ? key : '' }
  const session = sessionCookie !== undefined && any.includes('session') && cookieOf(fields, sessionCookie)
  return session ? { kind: 'session', value: session } : undefined
}

/** RFC 6750 §2.1. Undefined for another scheme; empty for several fields: nobody knows which one counts. What it holds is checked later. */
function bearerOf({ raw }: Fields): string | undefined {
  let found: string | undefined
  let isOnly = true
  let isBearer = false
  for (let i = 0; i < raw.length; i += 2) {
    if (!sameName(raw[i] as string, 'authorization')) continue
    isOnly = found === undefined
    found = raw[i + 1] as string
    isBearer ||= isOfScheme(found)
  }
  if (found === undefined || !isBearer) return undefined
  return isOnly ? tokenOf(found) : ''
}

function tokenOf(value: string): string {
  return value.slice(scheme.length).trim()
}

const scheme = 'bearer'

/** Looks at no more than the scheme: a token may be long. */
function isOfScheme(value: string): boolean {
  const end = value.charCodeAt(scheme.length)
  return (end === 0x20 || value.length === scheme.length) && sameName(value.slice(0, scheme.length), scheme)
}

/** Without keys of ours: no upstream needs one, and each would have it in its logs. */
export function withoutKeys(fields: Fields): Fields {
  const { raw } = fields
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const [name = '', value = ''] = [raw[i], raw[i + 1]]
    if (!isKeyField(name, value)) kept.push(name, value)
  }
  return kept.length === raw.length ? fields : fieldsOf(kept)
}

function isKeyField(name: string, value: string): boolean {
  if (sameName(name, 'x-api-key')) return value.startsWith(keyPrefix)
  return sameName(name, 'authorization') && isOfScheme(value) && tokenOf(value).startsWith(keyPrefix)
}
