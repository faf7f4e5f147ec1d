// The credentials of a run: those in use, and those that have ended. Each knows until when it must be taken, and from when on it
// must be refused; what is between is the bound that its end has. All times are milliseconds since the epoch.
// The danger it guards against: a credential that is laid aside before it ends, so that nobody ever sees how it ends.

export type Kind = 'key' | 'token' | 'internal'

export interface Credential {
  readonly id: string
  readonly kind: Kind
  readonly fields: Readonly<Record<string, string>>
  /** How it ends, or has ended: `revoked key`. */
  how: string
  /** What is answered until then was good. */
  goodUntil: number
  /** What is sent from then on is not. */
  badFrom: number
}

export type End = Pick<Credential, 'how' | 'goodUntil' | 'badFrom'>

export interface Purse {
  add(kind: Kind, fields: Credential['fields'], end?: End): Credential
  /** All that are good now. */
  good(kind: Kind): readonly Credential[]
  /** All that were of use once, and are not now: refused already, or within their bound. */
  ended(kind: Kind): readonly Credential[]
  get(id: string): Credential | undefined
}

const noEnd: End = { how: '', goodUntil: Number.POSITIVE_INFINITY, badFrom: Number.POSITIVE_INFINITY }

export function createPurse(wall: () => number): Purse {
  const all = new Map<string, Credential>()
  const of = (kind: Kind, isGood: boolean) =>
    [...all.values()].filter((one) => one.kind === kind && one.goodUntil > wall() === isGood)
  return {
    add(kind, fields, end = noEnd) {
      const credential = { id: `${kind} ${all.size + 1}`, kind, fields, ...end }
      all.set(credential.id, credential)
      return credential
    },
    good: (kind) => of(kind, true),
    ended: (kind) => of(kind, false),
    get: (id) => all.get(id),
  }
}
