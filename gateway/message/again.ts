// A request that may have to be sent once more: its body is kept as it passes, up to a bound, and comes from its beginning again.
// The danger it guards against: a second attempt that is sent without the bytes that the first one has read.
import { Readable } from 'node:stream'
import type { Exchange } from '../model.ts'
import { namesOf, without } from './fields.ts'
import { Copy, listenIn, rewound } from './keep.ts'

/** The request as it can be sent again, once nobody reads it any more; undefined when a part of its body is lost. */
export type Again = () => Exchange | undefined

const expect = namesOf(['expect'])

/** To be called before the request is sent. @param mostBytes 0 keeps nothing: then only an untouched body is sent again */
export function repeatable(exchange: Exchange, mostBytes: number): Again {
  const { body } = exchange
  if (!(body instanceof Readable)) return () => exchange
  const copy = new Copy(mostBytes)
  if (mostBytes > 0) listenIn(body, copy)
  return function again() {
    if (!body.readableDidRead && !body.readableEnded) return exchange
    const kept = mostBytes === 0 && body.readableDidRead ? 'tooLarge' : copy.kept
    if (kept === 'tooLarge') return undefined
    // Its client was told to go on, or did: whoever is asked next need not be asked whether to (RFC 9110 §10.1.1).
    const fields = exchange.fields.has('expect') ? without(exchange.fields, expect) : exchange.fields
    if (body.readableEnded) return { ...exchange, fields, body: kept }
    // What has passed goes before what is still to come.
    body.emit(rewound)
    if (kept.length > 0) body.unshift(kept)
    return { ...exchange, fields }
  }
}
