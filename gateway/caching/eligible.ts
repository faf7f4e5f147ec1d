// Which requests the cache concerns itself with at all. The danger it guards against: a request that changes something, or asks for
// more than a stored answer can say, and never reaches the upstream.
import { namesOf } from '../message/fields.ts'
import { methodOverrides } from '../message/methodOverride.ts'
import type { Exchange } from '../model.ts'

/**
 * If-Match and If-Unmodified-Since are the origin's to judge (RFC 9110 §13.1.1, §13.1.4), and so is an expectation; the others make
 * some applications take a GET for a DELETE.
 */
const foreign = namesOf(['If-Match', 'If-Unmodified-Since', 'Expect', ...methodOverrides])

export function isForCache({ method, role, body, upgrade, isPastStock, client, fields: { raw } }: Exchange): boolean {
  if (isPastStock) return false
  // Who is known by the connection shows no credentials in the request (RFC 4559 §6), and nothing else could tell him from anybody.
  if (client.connection?.hasLogin) return false
  if ((method !== 'GET' && method !== 'HEAD') || role !== 'primary') return false
  // RFC 9110 §9.3.1: content of a GET means nothing that a key could tell.
  if (body !== undefined || upgrade !== undefined) return false
  for (let i = 0; i < raw.length; i += 2) if (foreign.has(raw[i] as string)) return false
  return true
}
