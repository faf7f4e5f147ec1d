// What a client is told that is not let through (RFC 6750 §3): enough to mend it, nothing that helps to guess.
// The danger it guards against: a client that cannot tell a token that has run out from one that was never good.
import type { AuthRefusal } from '../model.ts'

const scheme = 'Bearer realm="api"'

/** Without an error code for who has shown nothing (RFC 6750 §3.1). */
const errors: Partial<Readonly<Record<AuthRefusal, string>>> = {
  missing: '',
  expired: ', error="invalid_token", error_description="It has expired"',
  notYet: ', error="invalid_token", error_description="It is not valid yet"',
  wrongRoute: ', error="insufficient_scope"',
  tooOld: ', error="invalid_token", error_description="It is past its age"',
}

/** Those that say nothing of the credential. */
const silent: ReadonlySet<AuthRefusal> = new Set<AuthRefusal>(['screened', 'unavailable', 'stale', 'busy'])

/** Name, value: the field of a 401 or 403. @param scopes those that the Route asks for, checked by the schema to need no quoting */
export function challengeOf(why: AuthRefusal, scopes: readonly string[]): readonly string[] {
  if (silent.has(why)) return []
  if (why === 'scope') return ['WWW-Authenticate', `${scheme}, error="insufficient_scope", scope="${scopes.join(' ')}"`]
  return ['WWW-Authenticate', `${scheme}${errors[why] ?? ', error="invalid_token"'}`]
}
