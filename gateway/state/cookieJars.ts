// The candidate's own cookies, per client: what it has set in answers that went to nobody, for that client's next legs.
// The danger it guards against: a candidate that meets each client as a stranger, and jars that fill the memory.
import { cookieLine, type SetCookie, setCookieOf } from '../message/cookies.ts'
import { namesOf, withMore, without } from '../message/fields.ts'
import type { Fields } from '../model.ts'

const mostJars = 10_000
/** Many servers take no longer Cookie field. */
const mostJarBytes = 8 * 1024
/** Of all jars; an entry costs more than its text. */
const mostBytes = 16 * 1024 * 1024
const entryBytes = 100

const cookieName = namesOf(['cookie'])

export interface CookieJars {
  /** The client's own cookies, overlaid with those of the jar. @param owner whose */
  overlay(owner: string, fields: Fields): Fields
  /** Keeps what an answer has set. @param owner undefined: nobody's. @returns how many were dropped because of their name */
  keep(owner: string | undefined, answered: Fields, dropped: string | undefined): number
}

type Cookie = Pick<SetCookie, 'value' | 'expiresAt'>

/** The jars used least lately go first. @param wall to know what has expired */
export function createCookieJars(wall: () => number): CookieJars {
  const jars = new Map<string, Jar>()
  let bytes = 0

  /** Makes it the one used last. */
  function use(owner: string, jar: Jar): void {
    jars.delete(owner)
    jars.set(owner, jar)
    for (const [oldest, { bytes: size }] of jars) {
      if (jars.size <= mostJars && bytes <= mostBytes) return
      jars.delete(oldest)
      bytes -= size
    }
  }

  return {
    overlay(owner, fields) {
      const jar = jars.get(owner)
      if (!jar) return fields
      use(owner, jar)
      const line = cookieLine(fields.all('cookie'), jar.at(wall()))
      return withMore(without(fields, cookieName), line === '' ? [] : ['Cookie', line])
    },
    keep(owner, answered, dropped) {
      const set = answered.all('set-cookie').flatMap((field) => setCookieOf(field, wall()) ?? [])
      const kept = set.filter(({ name }) => name !== dropped)
      if (owner !== undefined && kept.length > 0) {
        const jar = jars.get(owner) ?? new Jar()
        bytes -= jars.has(owner) ? jar.bytes : 0
        for (const cookie of kept) jar.put(cookie)
        bytes += jar.bytes
        use(owner, jar)
      }
      return set.length - kept.length
    },
  }
}

class Jar {
  bytes = 0
  readonly #cookies = new Map<string, Cookie>()

  /** One that does not fit is left out. One that is to be forgotten stays as such: it hides the client's own of that name. */
  put({ name, value, expiresAt }: SetCookie): void {
    const known = this.#cookies.get(name)
    const bytes = this.bytes - (known ? sizeOf(name, known) : 0) + sizeOf(name, { value })
    if (bytes > mostJarBytes) return
    this.#cookies.set(name, { value, expiresAt })
    this.bytes = bytes
  }

  at(wallMs: number): ReadonlyMap<string, string | undefined> {
    return new Map(
      [...this.#cookies].map(([name, { value, expiresAt }]) => [name, expiresAt > wallMs ? value : undefined]),
    )
  }
}

function sizeOf(name: string, { value = '' }: Pick<Cookie, 'value'>): number {
  return name.length + value.length + entryBytes
}
