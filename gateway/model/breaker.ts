// The words of the circuit breaker, as types; model.ts passes them on. Imports nothing of ours.
// The danger they guard against: a failure of a client, or of the gateway, that is counted as one of an upstream.

/** When an Upstream is left alone, and for how long. Shares are of 10 000 calls that have ended. */
export interface BreakerSettings {
  readonly errorShareBasisPoints: number
  /** Fewer in the window open nothing. */
  readonly minRequests: number
  readonly windowMs: number
  /** How long it is left alone at first; twice as long each further time. */
  readonly openMs: number
  /** Absent: no call is slow. */
  readonly slow?: { readonly afterMs: number; readonly shareBasisPoints: number }
  readonly engine: 'own' | 'opossum'
}

/** What a call said of its Upstream. `nothing`: its client has left, or the gateway itself failed. */
export type CallResult = 'fine' | 'failed' | 'nothing'

/** Leave for one call. One that is never reported holds nothing up. */
export interface Permit {
  /**
   * The head of its answer has come, or none will. Only the first call counts.
   * @param tookMs from when the whole request could have been sent
   */
  report(result: CallResult, tookMs: number): void
  /** Its answer broke off in its body; at most once. */
  broke(): void
}

/** `halfOpen`: one call is let through, to see how it ends. */
export type CircuitState = 'closed' | 'open' | 'halfOpen'

/** What stands before an Upstream. */
export interface Breaker {
  /** Undefined: the Upstream is left alone now. */
  acquire(): Permit | undefined
  /** Whether calls go through and are no trials. */
  isClosed(): boolean
  /** Milliseconds until the next trial; 0 when it may be at once, or is under way. */
  retryInMs(): number
}

/** What filters may know of the breakers. */
export interface Breakers {
  /** The one before whatever has these targets, in any order, and these settings. */
  of(targets: readonly BrokenTarget[], settings: BreakerSettings): Breaker
}

/** What of a Target a breaker is kept under. */
export interface BrokenTarget {
  readonly origin: string
  /** Whether its certificate is verified. */
  readonly verify: boolean
}
