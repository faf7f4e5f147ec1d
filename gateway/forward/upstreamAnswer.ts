// An upstream's answer as the journey wants it: whose it is, and only the fields that are meant for the client.
// The danger it guards against: an answer that does not say whose it is, so that somebody else is blamed for it.
import { answerOf } from '../message/answer.ts'
import { fieldsOf } from '../message/fields.ts'
import { endToEnd } from '../message/hopByHop.ts'
import type { Answer, Clock, Exchange } from '../model.ts'

interface Parts extends Pick<Required<Answer>, 'status' | 'reason' | 'body' | 'tunnel' | 'trailers'> {
  readonly raw: readonly string[]
}

export function upstreamAnswer({ upstream }: Exchange, clock: Clock, parts: Parts): Answer {
  const { status, reason, body, tunnel, raw, trailers } = parts
  const received = fieldsOf(raw)
  // The fields of a 101 are for both ends of the new connection, Connection and Upgrade among them (RFC 9110 §7.8).
  const fields = tunnel ? received : endToEnd(received)
  return answerOf(
    { status, reason, fields, body, tunnel, trailers, by: 'upstream', upstream: upstream.name },
    clock.now,
  )
}
