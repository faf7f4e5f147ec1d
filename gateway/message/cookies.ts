// Cookies of a request (RFC 6265 §4.2, §5.4), read and changed without touching what is not meant.
// The danger it guards against: a cookie that is taken for another because its name only begins like it.
import type { Fields } from '../model.ts'

/** The value of the first cookie of that name (a user agent sends the most specific first, RFC 6265 §5.4). */
export function cookieOf(fields: Fields, name: string): string | undefined {
  for (const line of fields.all('cookie')) {
    for (const pair of line.split(';')) {
      const equals = pair.indexOf('=')
      if (equals > 0 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
    }
  }
  return undefined
}

/** The name of the cookie that a Set-Cookie field sets (RFC 6265 §5.2). */
export function setCookieName(value: string): string {
  return (value.split(';', 1)[0] ?? '').split('=', 1)[0]?.trim() ?? ''
}

export interface SetCookie {
  readonly name: string
  /** Undefined when it is to be forgotten. */
  readonly value: string | undefined
}

/** What a Set-Cookie field sets (RFC 6265 §5.2); its path and domain are not looked at. @param wallMs to know what has expired */
export function setCookieOf(field: string, wallMs: number): SetCookie | undefined {
  const [pair = '', ...attributes] = field.split(';')
  const equals = pair.indexOf('=')
  if (equals <= 0) return undefined
  const isPast = attributes.some((attribute) => hasExpired(attribute.trim(), wallMs))
  return { name: pair.slice(0, equals).trim(), value: isPast ? undefined : pair.slice(equals + 1).trim() }
}

function hasExpired(attribute: string, wallMs: number): boolean {
  const [, seconds] = /^max-age=(-?[0-9]+)$/i.exec(attribute) ?? []
  if (seconds !== undefined) return Number(seconds) <= 0
  const [, date] = /^expires=(.*)$/i.exec(attribute) ?? []
  return date !== undefined && Date.parse(date) <= wallMs
}

/** One Cookie field (RFC 6265 §5.4) of these lines' pairs, those that have the name of one in the jar in its value. */
export function cookieLine(lines: readonly string[], jar: ReadonlyMap<string, string>): string {
  const pairs = lines.flatMap((line) => line.split(';')).map((pair) => pair.trim())
  const kept = pairs.filter((pair) => pair !== '' && !jar.has(pair.slice(0, Math.max(0, pair.indexOf('='))).trim()))
  return [...kept, ...[...jar].map(([name, value]) => `${name}=${value}`)].join('; ')
}
