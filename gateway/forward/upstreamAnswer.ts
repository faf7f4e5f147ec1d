// An upstream's answer as the journey wants it.
// The danger it guards against: an answer that does not say whose it is, so that somebody else is blamed for it.
import { answerOf } from '../message/answer.ts'
import { fieldsOf } from '../message/fields.ts'
import type { Answer, Clock, Exchange } from '../model.ts'

interface Parts extends Pick<Answer, 'status' | 'reason' | 'body' | 'tunnel'> {
  readonly raw: readonly string[]
  /** name, value …; asked for once the body has ended. */
  trailers(): readonly string[]
}

export function upstreamAnswer({ upstream }: Exchange, clock: Clock, parts: Parts): Answer {
  const { raw, trailers, ...rest } = parts
  return answerOf(
    { ...rest, fields: fieldsOf(raw), trailers: () => fieldsOf(trailers()), by: 'upstream', upstream: upstream.name },
    clock.now,
  )
}
