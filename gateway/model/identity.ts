// Who a client is, as somebody has proved it; model.ts passes it on. Imports nothing of ours.
// The danger it guards against: two clients that are taken for one.

export type CredentialKind = 'jwt' | 'apiKey' | 'session'

/** Whose request it is, once its credentials have been checked. Never holds a credential. */
export interface Identity {
  readonly kind: CredentialKind
  /** Tells it from every other identity of whatever kind: limits, stickiness and stock are kept by it. */
  readonly id: string
  /** `sub` of a token, the owner of a key, what the monolith calls the session's user. */
  readonly subject: string
  readonly scopes: readonly string[]
  /** Of a token: `iss`. */
  readonly issuer?: string
  /** Of a key of ours: its public name, which is no secret. */
  readonly keyId?: string
  /** Of a token. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** What became of a key of ours that a client has sent. */
export type KeyCheck =
  | {
      readonly ok: true
      readonly identity: Identity
      /** Its own limit, such as `100/min`. */
      readonly rate?: string
      /** It has a successor: since when, and until when it works; milliseconds since the epoch. */
      readonly deprecated?: { readonly sinceMs: number; readonly sunsetMs: number }
    }
  | {
      readonly ok: false
      /** `stale`: it may have been revoked, and nobody can be asked for too long a time; no fault of the client's (503). */
      readonly why: 'malformed' | 'unknown' | 'expired' | 'revoked' | 'tooOld' | 'wrongRoute' | 'stale'
      /** Of a key that is known. */
      readonly keyId?: string
    }
