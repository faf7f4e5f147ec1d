// Who sends a request: its credential is given to whoever knows such ones, and what fails is kept and told.
// The danger it guards against: a failed check that nobody hears of, or one that everybody hears of a thousand times.
import { type Presented, presentedBy } from '../identity/presented.ts'
import { networkOf } from '../message/addresses.ts'
import type { ApiKeys, Credentials } from '../model/ports.ts'
import type { AuthCheck, AuthRefusal, AuthRules, Clock, Exchange, Snapshot } from '../model.ts'
import type { AuditEntry } from './auditRecord.ts'
import type { AuthCounts } from './authCounts.ts'
import type { Screening } from './screening.ts'
import type { SessionBook } from './sessions.ts'
import type { TokenBook } from './tokens/book.ts'
import type { EndAt } from './tokens/tokenStreams.ts'

export interface CredentialParts {
  readonly clock: Pick<Clock, 'wall'>
  readonly tokens: Pick<TokenBook, 'check'>
  readonly keys: ApiKeys
  readonly sessions: Pick<SessionBook, 'check'>
  readonly screening: Screening
  readonly counts: AuthCounts
  readonly endAt: EndAt
  /** Of one source, an address say: bounded. */
  refused(source: string, entry: AuditEntry): void
}

export interface CredentialBook extends Credentials {
  /** With the Snapshot that is served from now on. */
  follow(snapshot: Pick<Snapshot, 'settings'>): void
}

/** What costs nothing to refuse, and may come from anybody's honest client, closes no address. */
const harmless: ReadonlySet<AuthRefusal> = new Set<AuthRefusal>([
  ...(['missing', 'scope', 'screened', 'unavailable', 'busy', 'stale'] as const),
  ...(['expired', 'revoked', 'tooOld', 'wrongRoute'] as const),
])
/** Nobody has failed at anything. */
const unremarkable: ReadonlySet<AuthRefusal> = new Set<AuthRefusal>(['missing', 'unavailable', 'busy', 'stale'])

export function createCredentials(parts: CredentialParts): CredentialBook {
  const { clock, tokens, keys, sessions, screening, counts, endAt, refused } = parts
  let sessionCookie: string | undefined

  function look({ kind, value }: Presented, exchange: Exchange): AuthCheck | Promise<AuthCheck> {
    const may = { ask: !exchange.isScreened }
    if (kind === 'jwt') return tokens.check(value, may)
    if (kind === 'session') return sessions.check(exchange, value, may)
    const route = (exchange.guardedBy ?? exchange.route).name
    const found = keys.check(value, { route, address: exchange.client.address, atMs: clock.wall() })
    return found.ok ? found : { ...found, kind }
  }

  return {
    follow({ settings }) {
      sessionCookie = settings.sessionCheck?.cookie
    },
    check(exchange, rules) {
      const presented = presentedBy(exchange.fields, rules, sessionCookie)
      if (!presented) return { ok: false, why: 'missing' }
      const retryAfterMs = exchange.isScreened ? screening.waitMs(exchange.client.address, rules.mode) : undefined
      const found = look(presented, exchange)
      return found instanceof Promise
        ? found.then((check) => judged(check, rules, retryAfterMs))
        : judged(found, rules, retryAfterMs)
    },
    isOver: (address, mode) => screening.waitMs(address, mode) > 0,
    note({ route, client }, { mode }, check) {
      const method = check.ok ? check.identity.kind : (check.kind ?? 'none')
      counts.add({ route: route.name, method, result: check.ok ? 'passed' : check.why, mode })
      if (check.ok) return
      if (!harmless.has(check.why)) screening.failed(client.address, mode)
      if (!unremarkable.has(check.why))
        refused(networkOf(client.address), entryOf(route.name, mode === 'report' ? 'would be refused: ' : '', check))
    },
    hold(answer, { identity: { keyId }, untilMs }) {
      if (keyId !== undefined) return keys.hold(answer, keyId)
      return untilMs === undefined ? answer : endAt(answer, untilMs)
    },
  }
}

function judged(check: AuthCheck, { scopes }: AuthRules, retryAfterMs: number | undefined): AuthCheck {
  if (!check.ok) return check.why === 'screened' && retryAfterMs !== undefined ? { ...check, retryAfterMs } : check
  const { kind, keyId, scopes: granted } = check.identity
  if (scopes.every((scope) => granted.includes(scope))) return check
  return { ok: false, kind, why: 'scope', ...(keyId !== undefined && { keyId }) }
}

function entryOf(route: string, would: string, { kind, why, keyId }: Extract<AuthCheck, { ok: false }>): AuditEntry {
  const whose = keyId === undefined ? '' : ` ${keyId}`
  return { kind: 'refused', by: 'auth', subject: route, reason: `${would}${kind}${whose}: ${why}` }
}
