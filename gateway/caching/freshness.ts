// How old an answer is and how long it is fresh (RFC 9111 §4.2), and what may be done with it for a request (§4.2.4, RFC 5861).
// The danger it guards against: a stale answer that passes for a fresh one.
import type { CacheRules } from '../model.ts'
import type { Policy } from './policy.ts'
import type { StoredHead } from './stored.ts'
import type { Wishes } from './wishes.ts'

/** RFC 9110 §15.1: statuses of which nobody need say that they may be stored; errors only where the route says so. */
const lasting = new Set([200, 203, 204, 300, 301, 308])

/** Who guesses should not guess further (RFC 9111 §4.2.2 gives no bound; HTTP/1.1 once warned beyond it). */
const longestGuessMs = 24 * 60 * 60 * 1000

/** Route keys speak where the origin is silent: of an error `negative`, then a share of its age, then `fresh`. */
export function lifetimeMs({ status, policy }: Pick<StoredHead, 'status' | 'policy'>, rules: CacheRules): number {
  if (policy.lifetimeMs !== undefined) return policy.lifetimeMs
  if (policy.mustValidate) return 0
  if (!lasting.has(status)) return rules.negativeMs.get(status) ?? 0
  return guessMs(policy, rules) ?? rules.freshMs ?? 0
}

function guessMs({ lastModifiedMs, dateMs }: Policy, { heuristicShare }: CacheRules): number | undefined {
  if (heuristicShare === undefined || lastModifiedMs === undefined) return undefined
  return Math.min(longestGuessMs, Math.max(0, dateMs - lastModifiedMs) * heuristicShare)
}

export function currentAgeMs({ policy, receivedAtMs }: StoredHead, nowMs: number): number {
  return policy.initialAgeMs + Math.max(0, nowMs - receivedAtMs)
}

/** What may be done with a stored answer. */
export interface Judgement {
  /**
   * `fresh`: given as it is; `stale`: given too, as the client has asked; `behind`: given, and asked for anew meanwhile;
   * `validate`: the origin is asked first.
   */
  readonly use: 'fresh' | 'stale' | 'behind' | 'validate'
  /** Whether it may be given when the origin fails (RFC 5861 §4). */
  readonly isForErrors: boolean
  /** For how long it is fresh still; negative for how long it has been stale. */
  readonly ttlMs: number
}

export interface Judged {
  readonly stored: StoredHead
  readonly wishes: Wishes
  readonly rules: CacheRules
  readonly nowMs: number
}

export function judge({ stored, wishes, rules, nowMs }: Judged): Judgement {
  const { policy } = stored
  const ageMs = currentAgeMs(stored, nowMs)
  const ttlMs = lifetimeMs(stored, rules) - ageMs
  const asksAnew = wishes.noCache || policy.mustValidate
  // One that is fresh, but not enough for the client, will do when nothing else is to be had.
  const isForErrors = !asksAnew && (ttlMs > 0 || -ttlMs <= (policy.staleIfErrorMs ?? rules.staleIfErrorMs ?? -1))
  const use = asksAnew || isTooOld(wishes, ageMs) ? 'validate' : useOf(ttlMs, policy, { wishes, rules })
  return { use, isForErrors, ttlMs }
}

/** With `max-age=0` whoever reloads asks for the origin, also within the first millisecond. */
function isTooOld({ maxAgeMs }: Wishes, ageMs: number): boolean {
  return maxAgeMs !== undefined && (maxAgeMs === 0 || ageMs > maxAgeMs)
}

function useOf(ttlMs: number, policy: Policy, { wishes, rules }: Pick<Judged, 'wishes' | 'rules'>): Judgement['use'] {
  if (ttlMs > 0 && ttlMs >= wishes.minFreshMs) return 'fresh'
  if (wishes.minFreshMs > 0) return 'validate'
  if (-ttlMs <= (policy.staleWhileRevalidateMs ?? rules.staleWhileRevalidateMs ?? -1)) return 'behind'
  return !policy.forbidsStale && -ttlMs < wishes.maxStaleMs ? 'stale' : 'validate'
}
