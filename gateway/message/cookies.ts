// Cookies of a request (RFC 6265 §4.2, §5.4), read and changed without touching what is not meant.
// The danger it guards against: a cookie that is taken for another because its name only begins like it.
import type { Fields } from '../model.ts'
import { fieldsOf, sameName } from './fields.ts'

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

/** Without the cookies of that name; every other byte stays. The same fields when there is none. */
export function withoutCookie(fields: Fields, name: string): Fields {
  if (cookieOf(fields, name) === undefined) return fields
  const raw: string[] = []
  for (let i = 0; i < fields.raw.length; i += 2) {
    const [field = '', line = ''] = [fields.raw[i], fields.raw[i + 1]]
    const kept = sameName(field, 'cookie') ? withoutPairs(line, name) : line
    if (kept !== undefined) raw.push(field, kept)
  }
  return fieldsOf(raw)
}

/** Undefined when nothing is left. */
function withoutPairs(line: string, name: string): string | undefined {
  const pairs = line.split(';')
  const kept = pairs.filter((pair) => pair.split('=', 1)[0]?.trim() !== name || !pair.includes('='))
  if (kept.length === pairs.length) return line
  const text = kept.join(';').trim()
  return text === '' ? undefined : text
}

/** The name of the cookie that a Set-Cookie field sets (RFC 6265 §5.2). */
export function setCookieName(value: string): string {
  return (value.split(';', 1)[0] ?? '').split('=', 1)[0]?.trim() ?? ''
}

export interface SetCookie {
  readonly name: string
  /** Undefined when it is to be forgotten. */
  readonly value: string | undefined
  /** Milliseconds since the epoch; Infinity for one without an end. */
  readonly expiresAt: number
}

/** What a Set-Cookie field sets (RFC 6265 §5.2); its path and domain are not looked at. @param wallMs milliseconds since the epoch */
export function setCookieOf(field: string, wallMs: number): SetCookie | undefined {
  const [pair = '', ...attributes] = field.split(';')
  const equals = pair.indexOf('=')
  const name = pair.slice(0, Math.max(0, equals)).trim()
  if (name === '') return undefined
  const expiresAt = expiryOf(attributes, wallMs)
  return { name, value: expiresAt <= wallMs ? undefined : pair.slice(equals + 1).trim(), expiresAt }
}

/** Max-Age goes before Expires, wherever it stands, and the last of a kind counts (RFC 6265 §5.3). */
function expiryOf(attributes: readonly string[], wallMs: number): number {
  let [age, date] = [Number.NaN, Number.NaN]
  for (const attribute of attributes) {
    const [, seconds] = /^\s*max-age\s*=\s*(-?[0-9]+)\s*$/i.exec(attribute) ?? []
    const [, day] = /^\s*expires\s*=(.*)$/i.exec(attribute) ?? []
    if (seconds !== undefined) age = Number(seconds)
    else if (day !== undefined && !Number.isNaN(Date.parse(day))) date = Date.parse(day)
  }
  if (!Number.isNaN(age)) return wallMs + age * 1000
  return Number.isNaN(date) ? Number.POSITIVE_INFINITY : date
}

/** One Cookie field (RFC 6265 §5.4) of these lines' pairs, without those of a name in the jar, and of the jar's own; may be empty. */
export function cookieLine(lines: readonly string[], jar: ReadonlyMap<string, string | undefined>): string {
  const pairs = lines.flatMap((line) => line.split(';')).map((pair) => pair.trim())
  const kept = pairs.filter((pair) => pair !== '' && !jar.has(pair.slice(0, Math.max(0, pair.indexOf('='))).trim()))
  const own = [...jar].flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]))
  return [...kept, ...own].join('; ')
}
