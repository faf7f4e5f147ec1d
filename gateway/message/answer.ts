// Making Answers. Each has one end, told to whoever asked before or after it came.
// The danger it guards against: an Answer whose end is reported twice or never, so that a count drifts.
import { Readable } from 'node:stream'
import type { Failure } from '../errors.ts'
import type { Answer, Body, End, Exchange } from '../model.ts'
import { fieldsOf } from './fields.ts'

type Parts = Pick<Answer, 'status' | 'reason' | 'fields' | 'body' | 'by'> &
  Partial<Pick<Answer, 'tunnel' | 'trailers' | 'upstream' | 'failure' | 'fallback' | 'endsWithConnection'>>

/** An Answer that can end. Copies made by spreading it (`{ ...answer, fields }`) share its end. */
export function answerOf(parts: Parts, now: () => number): Answer {
  let end: End | undefined
  let tell: ((end: End) => void) | undefined
  const settle = (how: End) => {
    if (end) return
    end = how
    tell?.(how)
    tell = undefined
  }
  const { status, reason, fields, body, by, tunnel, trailers, upstream, failure, fallback, endsWithConnection } = parts
  return {
    status,
    reason,
    fields,
    body,
    tunnel,
    trailers,
    by,
    upstream,
    failure,
    fallback,
    endsWithConnection,
    settle,
    onEnd(listener) {
      if (end) listener(end)
      else tell = inTurn(tell, listener)
    },
    discard() {
      settle({ how: 'discarded', bodyBytes: 0, at: now() })
      dropBody(body)
      tunnel?.destroy()
    },
  }
}

/** There are two for nearly every Answer: a list of them costs more than this chain. */
function inTurn(first: ((end: End) => void) | undefined, then: (end: End) => void): (end: End) => void {
  if (!first) return then
  return (end) => {
    first(end)
    then(end)
  }
}

/** Stops a stream that nobody will read; its late errors concern nobody. */
export function dropBody(body: Body): void {
  if (!(body instanceof Readable)) return
  body.on('error', () => {})
  body.destroy()
}

/** Ends an Answer whose client has left. */
export function abandon(answer: Answer, now: () => number): void {
  answer.settle({ how: 'clientGone', bodyBytes: 0, at: now() })
  answer.discard()
}

/** In whole seconds (RFC 9110 §10.2.3), and never at once. */
function retryAfter({ retryAfterMs }: Failure): string[] {
  return retryAfterMs === undefined ? [] : ['Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1000)))]
}

/** What the client is told of a failure: problem+json (RFC 9457) with the code and the request id. */
export function problemAnswer(failure: Failure, exchange: Pick<Exchange, 'id'>, now: () => number): Answer {
  const { code, status, title, upstream, fallback, standing } = failure
  const body = Buffer.from(
    `${JSON.stringify({ type: `urn:banyan:problem:${code}`, title, status, code, requestId: exchange.id })}\n`,
  )
  const fields = fieldsOf([
    'Content-Type',
    'application/problem+json',
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    exchange.id,
    ...retryAfter(failure),
    ...failure.fields,
  ])
  const parts = { status, reason: '', fields, body, by: 'gateway', failure: code, upstream, fallback } as const
  return { ...answerOf(parts, now), standing }
}
