// What a Route says of its cache, as types; model.ts passes them on. Imports nothing of ours.
// The danger it guards against: a stretch of time that is seconds in one place and milliseconds in another.

/** What the operator adds where the origin is silent. It never undoes what the origin forbids. */
export interface CacheRules {
  /** How long an answer is fresh of which its origin says nothing. */
  readonly freshMs?: number
  /** 0–1: the same by its age when it was made (RFC 9111 §4.2.2), for answers with Last-Modified. */
  readonly heuristicShare?: number
  readonly staleWhileRevalidateMs?: number
  readonly staleIfErrorMs?: number
  /** How long an error is fresh of which its origin says nothing, by status. */
  readonly negativeMs: ReadonlyMap<number, number>
  /** Names by which its answers may be purged, beside those that their origin gives them. */
  readonly tags?: readonly string[]
  /** Each identity has a stock of its own; without it what is known to be somebody's is stored only where RFC 9111 §3.5 says so. */
  readonly isPerIdentity: boolean
  /** Answers say what the cache did (RFC 9211). */
  readonly saysStatus: boolean
  /** The cookie that tells whose a request is; absent: any cookie does. */
  readonly sessionCookie?: string
}
