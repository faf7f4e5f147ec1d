// Every way to fail, in one table. This file imports nothing of ours but the words.
// The danger it guards against: a failure that is retried although it ran, or blamed on somebody who did not cause it.
import type { Blame, Effective } from './model.ts'

interface Way {
  /** What the client is answered when nothing has been sent yet. */
  readonly status: number
  readonly blame: Blame
  /** Whether the upstream may have acted on the request: then it is never sent twice blindly (RFC 9110 §9.2.2). */
  readonly mayHaveRun: boolean
  /** When another try may be worth it, where nobody knows better: whoever is refused for want of room is always told. */
  readonly retryAfterMs?: number
  /** The `title` of the problem+json (RFC 9457): a sentence for the client, without names of ours. */
  readonly title: string
}

const table = {
  requestMalformed: { status: 400, blame: 'client', mayHaveRun: false, title: 'The request is malformed.' },
  requestTimeout: { status: 408, blame: 'client', mayHaveRun: false, title: 'The request took too long to arrive.' },
  requestHeadTooLarge: { status: 431, blame: 'client', mayHaveRun: false, title: 'The request head is too large.' },
  tlsHandshakeFailed: { status: 400, blame: 'client', mayHaveRun: false, title: 'The TLS handshake failed.' },
  methodUnknown: { status: 501, blame: 'client', mayHaveRun: false, title: 'The request method is not supported.' },
  expectationUnknown: { status: 417, blame: 'client', mayHaveRun: false, title: 'The expectation is not supported.' },
  proxyHeaderMissing: { status: 400, blame: 'client', mayHaveRun: false, title: 'The connection was not announced.' },
  clientGone: { status: 499, blame: 'client', mayHaveRun: true, title: 'The client has left.' },
  requestBodyBroken: {
    status: 400,
    blame: 'client',
    mayHaveRun: true,
    title: 'The request body ended early or broke.',
  },
  upstreamUnresolved: { status: 502, blame: 'upstream', mayHaveRun: false, title: 'The service cannot be found.' },
  upstreamRefused: { status: 502, blame: 'upstream', mayHaveRun: false, title: 'The service refuses connections.' },
  upstreamConnectTimeout: {
    status: 504,
    blame: 'upstream',
    mayHaveRun: false,
    title: 'The service cannot be reached.',
  },
  upstreamTls: { status: 502, blame: 'upstream', mayHaveRun: false, title: 'The service cannot be verified.' },
  upstreamReset: { status: 502, blame: 'upstream', mayHaveRun: true, title: 'The service broke the connection.' },
  upstreamMalformed: { status: 502, blame: 'upstream', mayHaveRun: true, title: 'The service gave no valid answer.' },
  upstreamTruncated: { status: 502, blame: 'upstream', mayHaveRun: true, title: 'The answer broke off.' },
  upstreamFirstByteTimeout: { status: 504, blame: 'upstream', mayHaveRun: true, title: 'The service did not answer.' },
  upstreamIdleTimeout: { status: 504, blame: 'upstream', mayHaveRun: true, title: 'The service stopped answering.' },
  deadlinePassed: { status: 504, blame: 'upstream', mayHaveRun: true, title: 'The answer did not come in time.' },
  clientDeadlinePassed: {
    status: 504,
    blame: 'client',
    mayHaveRun: true,
    title: 'The answer did not come in the time that was asked for.',
  },
  upstreamOpen: { status: 503, blame: 'upstream', mayHaveRun: false, title: 'The service is failing.' },
  upstreamBusy: {
    status: 503,
    blame: 'gateway',
    mayHaveRun: false,
    retryAfterMs: 1_000,
    title: 'The service is busy.',
  },
  secretMissing: { status: 502, blame: 'gateway', mayHaveRun: false, title: 'The service cannot be asked.' },
  notStored: { status: 504, blame: 'client', mayHaveRun: false, title: 'Nothing that fits is stored.' },
  unauthenticated: { status: 401, blame: 'client', mayHaveRun: false, title: 'Nobody is known by these credentials.' },
  keyTooOld: {
    status: 401,
    blame: 'client',
    mayHaveRun: false,
    title: 'The key is past its age. Have its owner ask for a rotation, and use the key that takes its place.',
  },
  forbidden: { status: 403, blame: 'client', mayHaveRun: false, title: 'These credentials are not for this.' },
  screened: { status: 429, blame: 'client', mayHaveRun: false, title: 'Too many wrong credentials came from there.' },
  identityUnknown: {
    status: 503,
    blame: 'gateway',
    mayHaveRun: false,
    retryAfterMs: 1_000,
    title: 'Nobody can say now whose credentials these are.',
  },
  limitExceeded: { status: 429, blame: 'client', mayHaveRun: false, title: 'Too much was asked in too short a time.' },
  limitUnknown: {
    status: 503,
    blame: 'gateway',
    mayHaveRun: false,
    retryAfterMs: 1_000,
    title: 'Nobody can say now how much was asked.',
  },
  overloaded: {
    status: 503,
    blame: 'gateway',
    mayHaveRun: false,
    retryAfterMs: 1_000,
    title: 'The gateway is busy.',
  },
  internal: { status: 500, blame: 'gateway', mayHaveRun: true, title: 'The gateway failed.' },
} as const satisfies Record<string, Way>

export type FailureCode = keyof typeof table

/** The table itself, for documentation and tests. */
export const failures: Readonly<Record<FailureCode, Way>> = table

/** What is known of one failure beside its code. */
interface How {
  readonly blame?: Blame
  readonly mayHaveRun?: boolean
  readonly retryAfterMs?: number
  /** name, value, name, value … that the answer to it carries. */
  readonly fields?: readonly string[]
  readonly cause?: unknown
}

/** One failure of one request. `message` is for the log: it may name hosts, never fields, bodies or query values. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: FailureCode
  /** May contradict the table where the place of failure knows better (a deadline that passed while there was no place of ours). */
  readonly blame: Blame
  /** May contradict the table where the place of failure knows better (a reset before the first byte was written). */
  readonly mayHaveRun: boolean
  /** When another try may be worth it; undefined when nobody knows. */
  readonly retryAfterMs: number | undefined
  /** name, value, name, value … that the answer to it carries. */
  readonly fields: readonly string[]
  /** The name of the Upstream that was asked, once somebody knows. */
  upstream?: string
  /** The origin of the one of that Upstream's several targets that was asked. */
  target?: string
  /** Why it was asked in place of the one that the Route chose: the code of its failure, or its status. */
  fallback?: string
  /** Where the Route's move stood when the side was chosen, once it was. */
  standing?: Effective

  constructor(code: FailureCode, message: string, how: How = {}) {
    super(message, how.cause === undefined ? undefined : { cause: how.cause })
    this.code = code
    this.blame = how.blame ?? table[code].blame
    this.mayHaveRun = how.mayHaveRun ?? table[code].mayHaveRun
    this.retryAfterMs = how.retryAfterMs ?? failures[code].retryAfterMs
    this.fields = how.fields ?? []
  }

  get status(): number {
    return table[this.code].status
  }

  get title(): string {
    return table[this.code].title
  }
}

/** Of an attempt that came after one which may have run: then the request may have. */
export function afterRun(failure: Failure): Failure {
  if (failure.mayHaveRun) return failure
  const { code, message, blame, retryAfterMs, upstream } = failure
  const again = retryAfterMs === undefined ? {} : { retryAfterMs }
  const told = new Failure(code, message, { blame, mayHaveRun: true, ...again, cause: failure })
  return upstream === undefined ? told : Object.assign(told, { upstream })
}

/** Any thrown value as a Failure: what nobody foresaw is `internal`, blame `gateway`. */
export function asFailure(thrown: unknown): Failure {
  return thrown instanceof Failure ? thrown : new Failure('internal', placeOf(thrown), { cause: thrown })
}

/** Where it was thrown, without its message: what nobody foresaw may quote what it stumbled over. */
function placeOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `a ${typeof thrown} was thrown`
  const frames = (thrown.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return [thrown.name, ...frames.slice(0, 4).map((frame) => frame.trim())].join(' ')
}
