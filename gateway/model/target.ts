// The words of an Upstream's targets, as types; model.ts passes them on. Imports nothing of ours.
// The danger they guard against: one of several that is taken for all of them.

/** One address that can be connected to. */
export interface Target {
  /** scheme://host:port, in lower case: what pools and health are keyed by. */
  readonly origin: string
  readonly secure: boolean
  /** A name or an address, an IPv6 one without brackets. */
  readonly host: string
  /** 1–65535 */
  readonly port: number
  /** Whether its certificate is verified (TLS only). */
  readonly verify: boolean
}

/** What keeps a client with the target that has its session: a cookie of the gateway's own, or the client's address. */
export type Affinity = { readonly by: 'cookie'; readonly name: string } | { readonly by: 'address' }

/** What is under way at one of an Upstream's targets, from this gateway. */
export interface TargetLoad {
  readonly origin: string
  /** Whether requests are sent to it while others are up. */
  readonly isUp: boolean
  /** While it starts slowly: the share of choices that it takes part in, below 1. */
  readonly warmth: number
  /** Requests, and what has left HTTP: each until its answer has ended. */
  readonly active: number
  /** Requests so far that could not be handed to it, and went to another. */
  readonly unreached: number
}
