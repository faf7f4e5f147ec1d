// Who sent a request, as far as his connection tells; model.ts passes it on. Imports nothing of ours.
// The danger it guards against: an address that a client has written himself.

/** Who sent a request. */
export interface Client {
  /** The client's address as `trustedProxies` lets us believe it. */
  readonly address: string
  /** The address at the other end of the connection. */
  readonly peer: string
  /** Whether that peer is one of `trustedProxies`: its forwarding fields are appended to, anybody else's are replaced. */
  readonly peerTrusted: boolean
  /** Whether the client's connection to us is TLS. */
  readonly tls: boolean
  /** Its connection, for what may never be shared between two of them (a login by NTLM). Requests of our own have none. */
  readonly connection?: ClientConnection
}

/** The identity of one client connection. */
export interface ClientConnection {
  /** Whether an upstream knows its client by it (NTLM, Negotiate). For good: what has been so once is not taken for anonymous again. */
  hasLogin?: boolean
  /** Calls the listener once when it has closed. */
  onClose(listener: () => void): void
}
