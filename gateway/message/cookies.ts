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
