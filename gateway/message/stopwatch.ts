// How long an upstream has had the whole of a request.
// The danger it guards against: what a client takes to send its body, held against an upstream as slowness.
import { Readable } from 'node:stream'
import type { Clock, Exchange } from '../model.ts'

/** Starts now. @returns milliseconds since the last byte of the request was there; undefined while it is still to come */
export function stopwatch({ body }: Pick<Exchange, 'body'>, { now }: Pick<Clock, 'now'>): () => number | undefined {
  let wholeAt: number | undefined = now()
  if (body instanceof Readable && !body.readableEnded) {
    wholeAt = undefined
    body.once('end', () => {
      wholeAt = now()
    })
  }
  return () => (wholeAt === undefined ? undefined : now() - wholeAt)
}
