// What routes.yaml says that is neither an upstream nor a move, as types; model.ts passes them on. Imports nothing of ours.
// The danger they guard against: a duration without its unit, and a mistake without its place.
import type { IssuerSettings, KeySettings, SessionCheckSettings } from './identity.ts'
import type { SigningSettings } from './internalToken.ts'

/** The set of requests that a Route takes, as written. Absent: any. */
export interface RouteMatch {
  /** `/exact`, `/prefix/*` (also `/prefix`), `/a/:name/b` (one segment). */
  readonly path: string
  /** Upper case. GET does not imply HEAD. */
  readonly methods?: readonly string[]
  /** A host name without port in lower case, or `*.` and a suffix. */
  readonly host?: string
  /** Name to value; `*` means any value. Names in lower case. */
  readonly fields?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly cookies?: Readonly<Record<string, string>>
}

/** What the monolith takes for the same path. */
export interface PathRules {
  readonly case: 'exact' | 'insensitive'
  readonly trailingSlash: 'distinct' | 'same'
  readonly semicolon: 'distinct' | 'same'
}

/** 1-based place in a file. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** A mistake (or a doubt: `warning`) in routes.yaml, as a sentence that says the remedy. */
export interface Problem extends Position {
  readonly severity: 'error' | 'warning'
  readonly message: string
}

/** What an operator may: see what is, see examples of what clients were answered, change what is, issue and end keys. */
export type AdminRole = 'read' | 'diff' | 'operate' | 'keys'

/** By which the admin listener knows who asks. */
export interface AdminToken {
  /** The person's, or the program's. */
  readonly name: string
  /** SHA-256 of the token, in lower-case hexadecimal. */
  readonly sha256: string
  readonly roles: readonly AdminRole[]
  /** Milliseconds since the epoch, from which on it is good for nothing; absent: never. */
  readonly expiresAt?: number
}

/** A certificate and its key, in PEM: absolute paths. */
export interface CertificateFiles {
  /** With those that it was signed by behind it. */
  readonly cert: string
  readonly key: string
}

/** The top-level keys that are not upstreams or routes. */
export interface CoreSettings {
  readonly public: {
    readonly host: string
    /** 0–65535; 0 takes a free one. */
    readonly port: number
    /** Addresses and CIDR blocks. */
    readonly trustedProxies: readonly string[]
    /** How the load balancer in front says whose a connection is; absent: it does not. */
    readonly proxyProtocol?: 'v1' | 'v2'
    readonly keepAliveMs: number
    readonly drainMs: number
    /** Empty: no TLS. The first is for clients that name none of their hosts. */
    readonly certificates: readonly CertificateFiles[]
  }
  readonly probes: { readonly host: string; readonly port: number }
  readonly admin: { readonly host: string; readonly port: number; readonly tokens: readonly AdminToken[] }
  /** Absolute path. */
  readonly stateDir: string
  /** Whatever reads it may hold a password: it is shown nowhere. */
  readonly store: { readonly state: string; readonly cache: string }
  /** How many gateways share the store, this one included. */
  readonly replicas: number
  readonly paths: PathRules
  readonly signing: SigningSettings
  readonly accessLog: 'stdout' | 'off' | { readonly file: string }
  /** The cookie in which the monolith keeps a client's session. */
  readonly sessionCookie?: string
  readonly keys: KeySettings
  /** Whose tokens are taken; their secrets are shown nowhere. */
  readonly issuers?: readonly IssuerSettings[]
  readonly sessionCheck?: SessionCheckSettings
}
