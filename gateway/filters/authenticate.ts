// Lets through who may use a Route, and says on the Exchange who it is. A Route without `auth` is none of its business: its
// credentials go on as they came, because its upstream may check them itself; unless its path may be read as that of one with it.
// The danger it guards against: a request that is taken for somebody's and is not, on any writing of its path.
import { Failure, type FailureCode } from '../errors.ts'
import { filterKind } from '../filter.ts'
import { challengeOf } from '../identity/challenge.ts'
import { withoutKeys } from '../identity/presented.ts'
import { isGuarded, rulesFor } from '../identity/rules.ts'
import { fieldsOf } from '../message/fields.ts'
import type { Credentials } from '../model/ports.ts'
import type { Answer, AuthCheck, AuthRefusal, AuthRules, Exchange, Next } from '../model.ts'

export const authenticate = filterKind({
  name: 'authenticate',
  sections: {},
  configure(_settings, { route: { auth }, isOnAnyRoute }) {
    if (!auth && !isOnAnyRoute('auth')) return undefined
    return {
      does: auth ? describe(auth) : 'asks who it is where another reading of its path meets a route with auth',
      bind: ({ credentials }) =>
        function authenticate(exchange, next) {
          const rules = rulesFor(exchange)
          if (!rules) return next(isGuarded(exchange) ? withoutOurs(exchange) : exchange)
          const check = credentials.check(exchange, rules)
          // Without a wait where none is needed: that is nearly always.
          if (!(check instanceof Promise)) return judge(check, { exchange, rules, next, credentials })
          return check.then((checked) => judge(checked, { exchange, rules, next, credentials }))
        },
    }
  },
})

function describe({ any, scopes, mode }: AuthRules): string {
  const scoped = scopes.length > 0 ? ` with ${scopes.join(' ')}` : ''
  const how = mode === 'report' ? 'counts who comes without' : 'asks for'
  return `${how} ${any.join(' or ')}${scoped}`
}

interface Case {
  readonly exchange: Exchange
  readonly rules: AuthRules
  readonly next: Next
  readonly credentials: Credentials
}

function judge(check: AuthCheck, { exchange, rules, next, credentials }: Case): Promise<Answer> {
  credentials.note(exchange, rules, check)
  const isReport = rules.mode === 'report'
  if (check.ok) {
    const asked = next({ ...withoutOurs(exchange), identity: check.identity })
    return pass(check, asked, isReport ? undefined : credentials)
  }
  if (isReport) return next(withoutOurs(exchange))
  return Promise.reject(failureOf(check, rules))
}

/** Also with a preflight, and where another kind is asked for: an upstream behind a Route with `auth` never sees a key of ours. */
function withoutOurs(exchange: Exchange): Exchange {
  const fields = withoutKeys(exchange.fields)
  return fields === exchange.fields ? exchange : { ...exchange, fields }
}

type Passed = Extract<AuthCheck, { ok: true }>

/** @param credentials those who end streams; undefined: nobody does */
function pass(check: Passed, asked: Promise<Answer>, credentials: Credentials | undefined): Promise<Answer> {
  const { identity, untilMs, deprecated } = check
  if (identity.keyId === undefined && untilMs === undefined) return asked
  return asked.then((answer) => {
    const held = credentials ? credentials.hold(answer, check) : answer
    return deprecated ? { ...held, fields: fieldsOf([...held.fields.raw, ...noticeOf(deprecated)]) } : held
  })
}

/** RFC 9745 §2, RFC 8594 §3. */
function noticeOf({ sinceMs, sunsetMs }: NonNullable<Passed['deprecated']>): readonly string[] {
  return ['Deprecation', `@${Math.floor(sinceMs / 1000)}`, 'Sunset', new Date(sunsetMs).toUTCString()]
}

type Refused = Extract<AuthCheck, { ok: false }>

const codes: Partial<Readonly<Record<AuthRefusal, FailureCode>>> = {
  screened: 'screened',
  scope: 'forbidden',
  wrongRoute: 'forbidden',
  tooOld: 'keyTooOld',
  unavailable: 'identityUnknown',
  stale: 'identityUnknown',
  busy: 'identityUnknown',
}

function failureOf({ kind, why, retryAfterMs }: Refused, rules: AuthRules): Failure {
  return new Failure(codes[why] ?? 'unauthenticated', `${kind ?? 'no credential'}: ${why}`, {
    fields: challengeOf(why, rules.scopes),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  })
}
