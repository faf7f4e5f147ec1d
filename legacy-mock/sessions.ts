// Who is logged in: a cookie with a random token, and the token in the books.
// The danger it guards against: a session that a script in the page or a guess can take over.
import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { DatabaseSync } from 'node:sqlite'
import { isTls } from './origin.ts'

const cookieName = 'SESSION'
/** The one login of the demonstration. */
const passwords: Readonly<Record<string, string>> = { dispatch: 'freight' }

export class Sessions {
  readonly #books: DatabaseSync
  readonly #now: () => number

  /** @param now milliseconds since the epoch */
  constructor(books: DatabaseSync, now: () => number) {
    this.#books = books
    this.#now = now
  }

  /** @returns the cookie to set, or undefined for a wrong login or password. */
  start(request: IncomingMessage, login: string, password: string): string | undefined {
    if (!Object.hasOwn(passwords, login) || passwords[login] !== password) return undefined
    const token = randomBytes(16).toString('hex')
    this.#books.prepare('INSERT INTO session (token, login, since) VALUES (?, ?, ?)').run(token, login, this.#now())
    return `${cookieName}=${token}; ${attributesFor(request)}`
  }

  /** @returns the cookie that takes the session's away. */
  end(request: IncomingMessage): string {
    this.#books.prepare('DELETE FROM session WHERE token = ?').run(tokenOf(request))
    return `${cookieName}=; Max-Age=0; ${attributesFor(request)}`
  }

  /** Who is logged in, if anybody. */
  loginOf(request: IncomingMessage): string | undefined {
    const row = this.#books.prepare('SELECT login FROM session WHERE token = ?').get(tokenOf(request))
    return row && String(row.login)
  }
}

/** Name and value of each cookie, in order (RFC 6265 §4.2.1). */
export function cookiesOf({ headers }: IncomingMessage): readonly (readonly [name: string, value: string])[] {
  const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim())
  return pairs.filter(Boolean).map((pair) => {
    const [name = '', ...value] = pair.split('=')
    return [name, value.join('=')] as const
  })
}

function tokenOf(request: IncomingMessage): string {
  return cookiesOf(request).find(([name]) => name === cookieName)?.[1] ?? ''
}

function attributesFor(request: IncomingMessage): string {
  return `Path=/; HttpOnly; SameSite=Lax${isTls(request) ? '; Secure' : ''}`
}
