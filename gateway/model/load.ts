// The words of load, as types; model.ts passes them on. Imports nothing of ours.
// The danger they guard against: a bound of the whole fleet that is taken for one gateway's own.

/** What is under way at an Upstream, and what may be. */
export interface UpstreamLoad {
  /** Connections that stand or are being made; over HTTP/2, which needs one, requests. */
  readonly open: number
  /** Requests that wait for one. */
  readonly waiting: number
  /** The most there may be from here: this gateway's share of what the fleet may have. */
  readonly most: number
}

/** What is refused first while the gateway cannot keep up. `yielding`: fallbacks, and what a rollback sent back. */
export type Priority = 'yielding' | 'unsafe' | 'safe'

/** How far the gateway is behind. */
export interface Pressure {
  /** By how many milliseconds its event loop is late, again and again. */
  lagMs(): number
  /** Whether it is so late, or has been and is not yet less than half as late. @param atMs the same for all that ask of that priority */
  isBehind(priority: Priority, atMs: number): boolean
  /** One such request was refused. */
  refused(priority: Priority): void
}
