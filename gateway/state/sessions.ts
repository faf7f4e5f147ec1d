// Whose session a cookie is, as the monolith says that has given it: so that who is logged in there is known to new services too.
// The dangers it guards against: a logout that is heard of too late, a monolith that is asked with every request, and a session
// that lies in memory for others to use.
import { Readable } from 'node:stream'
import { fieldsOf } from '../message/fields.ts'
import { withForwarding } from '../message/forwarded.ts'
import type {
  Answer,
  AuthCheck,
  AuthRefusal,
  Clock,
  Exchange,
  SessionCheckSettings,
  Snapshot,
  Upstream,
} from '../model.ts'
import { digestOf } from './tokens/remembered.ts'

export interface SessionBook {
  /** At once when it has just been asked. Never rejects. @param value of the cookie */
  check(exchange: Exchange, value: string, may: { readonly ask: boolean }): AuthCheck | Promise<AuthCheck>
  follow(snapshot: Pick<Snapshot, 'settings' | 'upstreams'>): void
}

export interface SessionParts {
  readonly clock: Pick<Clock, 'now'>
  forward(exchange: Exchange): Promise<Answer>
}

interface Known {
  readonly check: AuthCheck
  readonly untilMs: number
}

/** A login may make a session good that was none: what is refused is asked again sooner. */
const refusedMs = 1_000
const mostKnown = 20_000
/** Of those who wait for the monolith. */
const mostAsked = 1_000

export function createSessions({ clock, forward }: SessionParts): SessionBook {
  let asking: Asking | undefined
  /** By the hash of the cookie; the one that was asked for last is the last. */
  const known = new Map<string, Known>()
  const flights = new Map<string, Promise<AuthCheck>>()

  function keep(digest: string, check: AuthCheck, forMs: number): void {
    known.delete(digest)
    known.set(digest, { check, untilMs: clock.now() + forMs })
    for (const [oldest, { untilMs }] of known) {
      if (untilMs > clock.now() && known.size <= mostKnown) return
      known.delete(oldest)
    }
  }

  async function ask(by: Asking, exchange: Exchange, value: string): Promise<AuthCheck> {
    const digest = digestOf(value)
    const check = await answered(forward(askedOf(by, exchange, value, clock.now())), by, clock.now)
    flights.delete(digest)
    // One that was asked for under another reading of the file is not kept.
    if (by !== asking) return check
    if (check.ok) keep(digest, check, by.settings.cacheMs)
    else if (check.why === 'unknown') keep(digest, check, Math.min(refusedMs, by.settings.cacheMs))
    return check
  }

  return {
    check(exchange, value, may) {
      if (!asking) return refused('unavailable')
      const digest = digestOf(value)
      const last = known.get(digest)
      if (last && clock.now() < last.untilMs) return last.check
      const flight = flights.get(digest)
      if (flight) return flight
      if (!may.ask) return refused('screened')
      if (flights.size >= mostAsked) return refused('busy')
      const asked = ask(asking, exchange, value)
      flights.set(digest, asked)
      return asked
    },
    follow({ settings: { sessionCheck }, upstreams }) {
      const upstream = sessionCheck && upstreams.get(sessionCheck.upstream)
      const isSame = JSON.stringify(sessionCheck) === JSON.stringify(asking?.settings)
      if (!isSame) known.clear()
      asking = sessionCheck && upstream && { settings: sessionCheck, upstream }
    },
  }
}

/** Who is asked, and how. */
interface Asking {
  readonly settings: SessionCheckSettings
  readonly upstream: Upstream
}

const answerWithinMs = 5_000

/** Others may wait for the same answer: it is asked for on nobody's behalf, and goes on when this client leaves. */
function askedOf({ settings, upstream }: Asking, exchange: Exchange, value: string, nowMs: number): Exchange {
  const { id, fields, client } = exchange
  const kept = ['Host', 'User-Agent'].flatMap((name) => (fields.has(name) ? [name, fields.get(name) ?? ''] : []))
  const own = fieldsOf([...kept, 'Accept', 'application/json', 'Cookie', `${settings.cookie}=${value}`])
  const { connection: _his, ...anybody } = client
  return {
    id,
    receivedAt: nowMs,
    method: 'GET',
    target: settings.path,
    path: settings.path,
    fields: withForwarding(own, exchange),
    body: undefined,
    client: anybody,
    route: exchange.route,
    upstream,
    role: 'primary',
    deadlineAt: nowMs + answerWithinMs,
    onGone: () => {},
    inform: () => {},
  }
}

async function answered(asked: Promise<Answer>, { settings }: Asking, now: () => number): Promise<AuthCheck> {
  try {
    const answer = await asked
    const { status } = answer
    const text = await readWhole(answer, now)
    // A redirect leads to a login.
    if (status === 401 || status === 403 || (status >= 300 && status < 400)) return refused('unknown')
    if (status !== 200 || text === undefined) return refused('unavailable')
    const subject = memberAt(text, settings.subject)
    if (subject === undefined) return refused('unknown')
    return { ok: true, identity: { kind: 'session', id: `session ${subject}`, subject, scopes: [] } }
  } catch {
    return refused('unavailable')
  }
}

function refused(why: AuthRefusal): AuthCheck {
  return { ok: false, kind: 'session', why }
}

const mostBytes = 65_536

/** Also of an answer that says no: its connection can then be used again. @returns undefined for one that is too long */
async function readWhole(answer: Answer, now: () => number): Promise<string | undefined> {
  const pieces: Buffer[] = []
  let bodyBytes = 0
  const body: AsyncIterable<Buffer> | readonly Buffer[] =
    answer.body instanceof Readable ? answer.body : answer.body ? [answer.body] : []
  for await (const piece of body) {
    bodyBytes += piece.length
    if (bodyBytes <= mostBytes) pieces.push(piece)
    else {
      answer.discard()
      return undefined
    }
  }
  answer.settle({ how: 'complete', bodyBytes, at: now() })
  return Buffer.concat(pieces).toString('utf8')
}

/** The text or number that these keys lead to in a JSON text. */
function memberAt(text: string, keys: readonly string[]): string | undefined {
  let at: unknown
  try {
    at = JSON.parse(text)
  } catch {
    return undefined
  }
  for (const key of keys) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Record<string, unknown>)[key]
  }
  if (typeof at === 'number') return String(at)
  return typeof at === 'string' && at !== '' ? at : undefined
}
