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
  /** Of a key of ours: the limit that it has of its own, such as `100/min`. */
  readonly rate?: string
  /** Of a token. */
  readonly claims?: Readonly<Record<string, unknown>>
}

/** `report` counts what it would refuse, and lets it through. */
export type AuthMode = 'enforce' | 'report'

/** Who may use a Route. */
export interface AuthRules {
  /** A credential of one of these kinds is enough. */
  readonly any: readonly CredentialKind[]
  /** It has all of them. */
  readonly scopes: readonly string[]
  readonly mode: AuthMode
}

/** Why a request is not taken for anybody's. Of these `stale`, `unavailable` and `busy` are no fault of the client's. */
export type AuthRefusal =
  | Extract<KeyCheck, { ok: false }>['why']
  /** It has no credential of a kind that the Route takes. */
  | 'missing'
  /** Of a token. */
  | 'notYet'
  | 'issuer'
  | 'audience'
  | 'algorithm'
  | 'type'
  | 'critical'
  | 'key'
  | 'signature'
  | 'subject'
  /** So much has failed from its address that nothing more is checked. */
  | 'screened'
  /** It is known, and lacks a scope. */
  | 'scope'
  /** Who could tell cannot be asked. */
  | 'unavailable'
  /** Too many are being checked. */
  | 'busy'

/** What its credentials say of a request. */
export type AuthCheck =
  | {
      readonly ok: true
      readonly identity: Identity
      /** Of a token: until when it is good, with its issuer's tolerance; milliseconds since the epoch. */
      readonly untilMs?: number
      readonly deprecated?: { readonly sinceMs: number; readonly sunsetMs: number }
    }
  | {
      readonly ok: false
      readonly why: AuthRefusal
      /** Of the credential that was looked at; absent when there was none. */
      readonly kind?: CredentialKind
      /** Of a key of ours that is known. */
      readonly keyId?: string
      /** When another try may be worth it. */
      readonly retryAfterMs?: number
    }

/** Whose tokens are taken, and what must be true of them. */
export interface IssuerSettings {
  /** `iss`, as it is. */
  readonly issuer: string
  readonly keys:
    | { readonly from: 'url'; readonly url: string }
    /** Absolute path. */
    | { readonly from: 'file'; readonly file: string }
    | { readonly from: 'secret'; readonly secret: string }
  /** A token is for one of these. */
  readonly audience: readonly string[]
  readonly algorithms: readonly string[]
  /** By which its clock may differ from ours. */
  readonly clockToleranceMs: number
  /** `typ`, where only one is taken. */
  readonly type?: string
  /** The names of the claims that say who and what for. */
  readonly subject: string
  readonly scopes: string
  readonly refreshMs: number
  /** How long its last keys are good while it does not give any. */
  readonly lastGoodMs: number
}

/** Where it is asked whose session a cookie is. */
export interface SessionCheckSettings {
  /** The name of the Upstream that knows. */
  readonly upstream: string
  readonly path: string
  readonly cookie: string
  readonly cacheMs: number
  /** The keys that lead to its user in the JSON that it answers. */
  readonly subject: readonly string[]
}

/** What became of a key of ours that a client has sent. */
export type KeyCheck =
  | {
      readonly ok: true
      readonly identity: Identity
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

/** What the file says of keys of ours. */
export interface KeySettings {
  /** The middle part of the keys that are issued. */
  readonly env: string
  /** The most that a key may be old, and so long before that it is told. */
  readonly maxAgeMs: number
  readonly warnMs: number
  /** How long a rotated key works beside its successor. */
  readonly overlapMs: number
  /** So long a replica that hears nothing of revocations goes on with keys; absent: for ever. */
  readonly staleAfterMs?: number
  /** Secrets, the newest first, or the path of a file with one in each line; absent: a file of stateDir. */
  readonly peppers?: { readonly values: readonly string[] } | { readonly file: string }
  /** The path of a file with the public keys (PEM) of who may tell of leaked keys. */
  readonly noticeKeysFile?: string
}
