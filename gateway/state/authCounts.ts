// How many requests were known by what, and how many were refused for what, by Route.
// The danger it guards against: a Route set to enforce although nobody looked at what it would refuse.
import type { AuthMode, CredentialKind } from '../model.ts'

/** What a request was known by, or was not. */
export type AuthMethod = CredentialKind | 'none'

export interface AuthCount {
  readonly route: string
  readonly method: AuthMethod
  /** `passed`, or why not. */
  readonly result: string
  readonly mode: AuthMode
  count: number
}

export interface AuthCounts {
  add(of: Omit<AuthCount, 'count'>): void
  all(): Iterable<Readonly<AuthCount>>
}

export function createAuthCounts(): AuthCounts {
  const counts = new Map<string, AuthCount>()
  return {
    add(of) {
      const key = `${of.route} ${of.method} ${of.result} ${of.mode}`
      const known = counts.get(key)
      if (known) known.count += 1
      else counts.set(key, { ...of, count: 1 })
    },
    all: () => counts.values(),
  }
}
