// A client's conditions, answered from what is stored (RFC 9111 §4.3.2, RFC 9110 §13).
// The danger it guards against: a 304 for something that the client does not have. What cannot be read is answered whole.
import type { Fields } from '../model.ts'
import { httpDateMs } from './httpDate.ts'
import type { StoredHead } from './stored.ts'

const tag = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/
const tagList = /^[\t ]*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"[\t ]*(?:,[\t ]*|$))+$/

/** The entity tag, if it is one. */
export function etagOf(fields: Fields): string | undefined {
  const [etag, ...more] = fields.all('etag')
  return etag !== undefined && more.length === 0 && tag.test(etag) ? etag : undefined
}

/** RFC 9110 §8.8.3.2: equal but for `W/`. */
export function isWeaklyEqual(one: string, other: string): boolean {
  return one.replace(/^W\//, '') === other.replace(/^W\//, '')
}

/** Whether the client has it already. */
export function isNotModified(asked: Fields, stored: Pick<StoredHead, 'status' | 'fields' | 'policy'>): boolean {
  // RFC 9110 §13.2.1: conditions are about what would be a success.
  if (stored.status !== 200) return false
  // §13.2.2: If-Modified-Since counts only without it.
  if (asked.has('if-none-match')) return matchesNone(asked, etagOf(stored.fields))
  const [since, ...more] = asked.all('if-modified-since')
  if (since === undefined || more.length > 0) return false
  const { lastModifiedMs, dateMs } = stored.policy
  const sinceMs = httpDateMs(since, dateMs)
  return sinceMs !== undefined && (lastModifiedMs ?? dateMs) <= sinceMs
}

function matchesNone(asked: Fields, etag: string | undefined): boolean {
  const list = asked.all('if-none-match').join(', ')
  if (list.trim() === '*') return true
  if (etag === undefined || !tagList.test(list)) return false
  return (list.match(/(?:W\/)?"[^"]*"/g) ?? []).some((known) => isWeaklyEqual(known, etag))
}

/** Whether a Range counts (RFC 9110 §13.1.5): of just what is stored, by a strong validator. */
export function isRangeMeant(asked: Fields, { fields, policy }: Pick<StoredHead, 'fields' | 'policy'>): boolean {
  const [condition, ...more] = asked.all('if-range')
  if (condition === undefined) return true
  if (more.length > 0) return false
  if (tag.test(condition)) return !condition.startsWith('W/') && condition === etagOf(fields)
  const { lastModifiedMs, dateMs } = policy
  // §8.8.2.2: within the same second it might have changed again.
  const isStrong = lastModifiedMs !== undefined && dateMs - lastModifiedMs >= 1000
  return isStrong && httpDateMs(condition, dateMs) === lastModifiedMs
}
