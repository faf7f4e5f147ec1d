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
  /** Absent: the system's authorities are believed, and it is shown no certificate. */
  readonly tls?: TlsFiles
}

/** What an upstream is believed by and shown: absolute paths of files in PEM. */
export interface TlsFiles {
  /** Absent: the system's authorities. */
  readonly ca?: string
  /** Both or neither. */
  readonly cert?: string
  readonly key?: string
}

/** What keeps a client with the target that has its session: a cookie of the gateway's own, or the client's address. */
export type Affinity = { readonly by: 'cookie'; readonly name: string } | { readonly by: 'address' }

/** What is under way at an Upstream of several targets, from this gateway. */
export interface Balance {
  readonly targets: readonly TargetLoad[]
  /** Requests so far whose client was bound to one target, and that went to another. */
  readonly moved: number
}

export interface TargetLoad {
  readonly origin: string
  /** Whether requests go to it while there are others. */
  readonly isUp: boolean
  /** The share of choices that it takes part in: below 1 while it starts slowly. */
  readonly warmth: number
  /** Requests, and what has left HTTP: each until its answer has ended. */
  readonly active: number
  /** Connections that stand or are being made; over HTTP/2 requests. */
  readonly open: number
  /** Requests so far that could not be handed to it, and went to another. */
  readonly unreached: number
}
