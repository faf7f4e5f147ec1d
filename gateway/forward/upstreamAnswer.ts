// An upstream's answer as the journey wants it: whose it is, and only the fields that are meant for the client.
// The danger it guards against: an answer that does not say whose it is, so that somebody else is blamed for it.
import { answerOf } from '../message/answer.ts'

import { endToEnd } from '../message/hopByHop.ts'
import type { Answer, Clock, Exchange, Fields } from '../model.ts'
import type { AnswerHead } from './answerHead.ts'

interface Parts extends Pick<Required<Answer>, 'status' | 'reason' | 'body' | 'tunnel' | 'trailers'> {
  readonly fields: Fields
  /** HTTP/2 says where each body ends. */
  readonly framing?: AnswerHead['framing']
}

export function upstreamAnswer({ upstream }: Exchange, clock: Clock, parts: Parts): Answer {
  const { status, reason, body, tunnel, fields: received, trailers, framing } = parts
  const endsWithConnection = framing?.kind === 'untilClose'
  // The fields of a 101 are for both ends of the new connection, Connection and Upgrade among them (RFC 9110 §7.8).
  const fields = tunnel ? received : endToEnd(received)
  return answerOf(
    { status, reason, fields, body, tunnel, trailers, endsWithConnection, by: 'upstream', upstream: upstream.name },
    clock.now,
  )
}
