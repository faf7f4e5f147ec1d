// What the gateway itself publishes for clients: the keys by which its words about them can be checked.
// The danger it guards against: a place of the monolith's that is answered by us although nobody asked for that.
import { answerOf } from '../message/answer.ts'
import { fieldsOf } from '../message/fields.ts'
import { keySetPath } from '../message/keySetPath.ts'
import type { Answer, Clock, Exchange, Snapshot } from '../model.ts'

/** How long others may go on with it; who meets a key that he does not know asks again. */
const keptSeconds = 60

export interface WellKnownPorts {
  readonly clock: Pick<Clock, 'now'>
  /** A JWK Set (RFC 7517 §5). */
  published(): object
}

/** @returns undefined for a request that is not for us */
export function answerOwn(
  { target, method }: Pick<Exchange, 'target' | 'method'>,
  { settings }: Pick<Snapshot, 'settings'>,
  { clock, published }: WellKnownPorts,
): Answer | undefined {
  if (target !== keySetPath || !settings.signing.isPublic || (method !== 'GET' && method !== 'HEAD')) return undefined
  const body = Buffer.from(JSON.stringify(published()))
  const raw = ['Content-Type', 'application/jwk-set+json', 'Content-Length', String(body.length)]
  const fields = fieldsOf([...raw, 'Cache-Control', `public, max-age=${keptSeconds}`])
  return answerOf({ status: 200, reason: '', fields, body, by: 'gateway' }, clock.now)
}
