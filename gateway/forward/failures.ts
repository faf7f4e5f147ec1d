// What went wrong on the way to an upstream, from the error codes of Node.
// The danger it guards against: a failure that is taken for provably unsent when it is not.
import { Failure, type FailureCode } from '../errors.ts'
import type { End, Upstream } from '../model.ts'

const byCode: Readonly<Record<string, FailureCode>> = {
  ECONNREFUSED: 'upstreamRefused',
  ENOTFOUND: 'upstreamUnresolved',
  EAI_AGAIN: 'upstreamUnresolved',
  EAI_NODATA: 'upstreamUnresolved',
  ETIMEDOUT: 'upstreamConnectTimeout',
  EHOSTUNREACH: 'upstreamConnectTimeout',
  ENETUNREACH: 'upstreamConnectTimeout',
  // Our own ports or descriptors have run out: no upstream's fault.
  EADDRNOTAVAIL: 'upstreamBusy',
  EMFILE: 'upstreamBusy',
  ENFILE: 'upstreamBusy',
}

const tls = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|EPROTO)/

/** How an attempt failed before its answer's head. @param mayBeSent whether a byte of the request may have been written. */
export function failureOf(error: unknown, upstream: Upstream, mayBeSent: boolean): Failure {
  if (error instanceof Failure) return error
  const code = codeOf(error)
  const where = `${upstream.name} at ${upstream.target.origin}`
  const how = { mayHaveRun: mayBeSent, cause: error }
  const known = byCode[code] ?? (tls.test(code) ? 'upstreamTls' : undefined)
  if (known && !mayBeSent) return new Failure(known, `${where}: ${code}`, how)
  return new Failure('upstreamReset', `${where}: ${code || 'closed the connection'}`, how)
}

/** How a failure after the head ends the answer: a connection lost in the middle of it is a truncation. */
export function breakOf({ code, blame }: Failure): Pick<End, 'how' | 'failure'> {
  const failure = code === 'upstreamReset' ? 'upstreamTruncated' : code
  return { how: blame === 'client' ? 'clientGone' : 'upstreamBroke', failure }
}

/** The error's own code, or the first one of several (Happy Eyeballs tries all addresses of a name). */
function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : ''
}

/** No connection within `connectMs`. @param isQueued because all that there may be are taken, not because none could be made */
export function noConnection({ name, connectMs }: Upstream, isQueued: boolean): Failure {
  return isQueued
    ? new Failure('upstreamBusy', `${name}: no connection came free in time (${connectMs} ms at most)`)
    : new Failure('upstreamConnectTimeout', `${name}: no connection in time (${connectMs} ms at most)`)
}

export function malformedAnswer({ name, target }: Upstream): Failure {
  return new Failure('upstreamMalformed', `${name} at ${target.origin}: its answer is malformed or ambiguous`)
}
