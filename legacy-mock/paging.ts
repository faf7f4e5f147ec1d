// Which page of a list is asked for, the same for every list.
// The danger it guards against: a list given whole because a client asked for all of it.
import { numberOf } from '../services/kit/visit.ts'

/** @throws Refusal 400 */
export function readPage(query: URLSearchParams, usualSize = 25): { page: number; size: number } {
  const page = numberOf(query, 'page', [1, 1_000_000]) ?? 1
  return { page, size: numberOf(query, 'size', [1, 200]) ?? usualSize }
}
