// The words of sending a request again to the same Upstream, as types; model.ts passes them on. Imports nothing of ours.
// The danger they guard against: an outage that is multiplied by those who try again.

/** Room for sending requests again. */
export interface Retries {
  /** A request that may be sent again goes to the Upstream of that name. */
  enter(upstream: string): Attempts
}

/** The attempts of one request at one Upstream. */
export interface Attempts {
  /**
   * Resolves after the back-off before the nth retry, from 1.
   * @param deadlineAt monotonic milliseconds, by which the back-off must be over
   * @returns undefined when there is no room for one, or no time
   */
  again(nth: number, deadlineAt: number | undefined): Promise<void> | undefined
  /** The request has ended. Only the first call counts. */
  leave(): void
}
