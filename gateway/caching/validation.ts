// Asking the origin whether a stored answer still holds, and taking its word (RFC 9111 §4.3.1, §4.3.3, §4.3.4).
// The danger it guards against: a client's own condition that brings a 304 about something which we do not have.
import { namesOf, withMore, without } from '../message/fields.ts'
import type { Fields } from '../model.ts'
import { policyOf, type Times } from './policy.ts'
import { etagOf, isWeaklyEqual } from './preconditions.ts'
import { type Stored, storedOf } from './stored.ts'

const clients = namesOf(['If-None-Match', 'If-Modified-Since', 'If-Range', 'Range'])

/** The request's fields, asking for a whole: without the client's conditions, with ours about what is stored. */
export function fieldsToFill(asked: Fields, stored: Stored | undefined): Fields {
  const raw: string[] = []
  const etag = stored && etagOf(stored.fields)
  const lastModified = stored?.policy.lastModifiedMs === undefined ? undefined : stored.fields.get('last-modified')
  if (etag !== undefined) raw.push('If-None-Match', etag)
  if (lastModified !== undefined) raw.push('If-Modified-Since', lastModified)
  return withMore(without(asked, clients), raw)
}

/** Whether there is anything to ask by. */
export function hasValidator({ fields, policy }: Stored): boolean {
  return etagOf(fields) !== undefined || policy.lastModifiedMs !== undefined
}

/**
 * The stored answer as a 304 has changed it (§3.2).
 * @returns undefined when the 304 is about something else
 */
export function freshen(stored: Stored, notModified: Fields, times: Times): Stored | undefined {
  const [named, own] = [etagOf(notModified), etagOf(stored.fields)]
  if (named !== undefined && own !== undefined && !isWeaklyEqual(named, own)) return undefined
  const { raw: news } = without(notModified, kept)
  const changed = namesOf(news.filter((_, i) => i % 2 === 0))
  // Without a Date of its own it is of now.
  const fields = withMore(without(without(stored.fields, changed), date), news)
  return storedOf({ ...stored, ...times, fields, policy: policyOf(fields, times) }, stored.body)
}

const date = namesOf(['Date'])

/** What describes the stored body stays as it is, and what is for one client is not for the next. */
const kept = namesOf([
  ...['Content-Length', 'Content-Encoding', 'Content-Type', 'Content-Range'],
  ...['Set-Cookie', 'Trailer', 'Vary', 'Cache-Status'],
])
