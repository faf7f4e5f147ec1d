// How long an answer is worth its room where everything has an end: while it may be given, and a while in which it may be asked after.
// The danger it guards against: a store that fills with what nobody may be given any more.
import type { CacheRules } from '../model.ts'
import { currentAgeMs, lifetimeMs } from './freshness.ts'
import { etagOf } from './preconditions.ts'
import type { StoredHead } from './stored.ts'

/** Longer nothing is kept, whatever its origin says: by then it is asked for anew. */
export const longestKeptMs = 24 * 60 * 60 * 1000
const askedAfterMs = 10 * 60 * 1000

/** Milliseconds from now on; 0 for what is of no use. */
export function keptForMs(stored: StoredHead, rules: CacheRules, nowMs: number): number {
  const { staleWhileRevalidateMs, staleIfErrorMs, lastModifiedMs } = stored.policy
  const behindMs = staleWhileRevalidateMs ?? rules.staleWhileRevalidateMs ?? 0
  const forErrorsMs = staleIfErrorMs ?? rules.staleIfErrorMs ?? 0
  const canBeAskedAfter = etagOf(stored.fields) !== undefined || lastModifiedMs !== undefined
  const staleMs = Math.max(0, behindMs, forErrorsMs, canBeAskedAfter ? askedAfterMs : 0)
  const leftMs = lifetimeMs(stored, rules) + staleMs - currentAgeMs(stored, nowMs)
  return Math.min(longestKeptMs, Math.max(0, Math.ceil(leftMs)))
}
