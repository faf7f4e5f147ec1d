// What upstreams are told of a client, signed by the gateway; model.ts passes it on. Imports nothing of ours.
// The danger it guards against: a service that believes whoever calls it.

/** For one upstream. */
export interface InternalTokenSettings {
  /** `aud`: whom the token is for, so that no service can use it at another. */
  readonly audience: string
}

/** For all of them. */
export interface SigningSettings {
  /** `iss` */
  readonly issuer: string
  /** How long a token is good. */
  readonly lifeMs: number
  /** How long a key signs. */
  readonly rotateMs: number
  readonly algorithm: 'ES256' | 'EdDSA'
  /** Whether the public door gives the keys too. */
  readonly isPublic: boolean
}
