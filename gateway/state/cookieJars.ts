// The candidate's own cookies, per client: what it has set in answers that went to nobody, for that client's next legs.
// The danger it guards against: a candidate that meets each client as a stranger, and jars that fill the memory.
import { cookieLine, setCookieOf } from '../message/cookies.ts'
import { fieldsOf, namesOf, without } from '../message/fields.ts'
import type { Fields } from '../model.ts'

const mostJars = 10_000
const mostCookies = 50
const mostCookieBytes = 4_096

const cookieName = namesOf(['cookie'])

export interface CookieJars {
  /** The client's own cookies, overlaid with those of the jar. @param owner whose */
  overlay(owner: string, fields: Fields): Fields
  /** Keeps what an answer has set. @returns how many were dropped because of their name */
  keep(owner: string, answered: Fields, dropped: string | undefined): number
}

/** The jars used least lately go first. @param wall to know what has expired */
export function createCookieJars(wall: () => number): CookieJars {
  const jars = new Map<string, Map<string, string>>()

  function jarOf(owner: string): Map<string, string> {
    const jar = jars.get(owner) ?? new Map<string, string>()
    jars.delete(owner)
    jars.set(owner, jar)
    const [oldest] = jars.keys()
    if (jars.size > mostJars && oldest !== undefined) jars.delete(oldest)
    return jar
  }

  return {
    overlay(owner, fields) {
      const jar = jars.get(owner)
      if (!jar || jar.size === 0) return fields
      return fieldsOf([...without(fields, cookieName), 'Cookie', cookieLine(fields.all('cookie'), jar)])
    },
    keep(owner, answered, dropped) {
      let count = 0
      for (const value of answered.all('set-cookie')) {
        const cookie = setCookieOf(value, wall())
        if (!cookie || value.length > mostCookieBytes) continue
        if (cookie.name === dropped) count += 1
        else put(jarOf(owner), cookie)
      }
      return count
    },
  }
}

function put(jar: Map<string, string>, { name, value }: { name: string; value: string | undefined }): void {
  if (value === undefined) jar.delete(name)
  else if (jar.size < mostCookies || jar.has(name)) jar.set(name, value)
}
