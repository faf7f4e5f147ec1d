// Carries a streamed request body to an upstream, whatever protocol that speaks, as fast as it reads.
// The dangers it guards against: a body that broke off and passes for whole, and one that ends with a failed attempt: with Node's
// requests that ends the client's connection too, and the 502 on it.
import type { Readable, Writable } from 'node:stream'
import { Failure } from '../errors.ts'
import { spend } from '../message/spent.ts'

interface Way {
  /** @returns whether more may come at once */
  write(piece: Buffer): boolean
  /** Something has gone out. */
  moved(): void
  /** All of the body is written. */
  ended(): void
  /** The client's body broke: the upstream must not take what it got for the whole. */
  failed(failure: Failure): void
}

/** @returns what stops it; the body is then paused, and left to its owner */
export function pump(body: Readable, to: Writable, way: Way): () => void {
  const onPiece = (piece: Buffer) => {
    spend(piece.length)
    way.moved()
    if (!way.write(piece)) body.pause()
  }
  const onDrain = () => {
    way.moved()
    body.resume()
  }
  const onEnd = () => {
    stop()
    way.ended()
  }
  const onBroken = () => {
    stop()
    way.failed(new Failure('requestBodyBroken', 'the request body broke off'))
  }
  const stop = () => {
    body.off('data', onPiece).off('end', onEnd).off('close', onBroken).off('error', onBroken)
    to.off('drain', onDrain)
    body.pause()
  }
  if (body.destroyed) {
    // No event will say so again.
    onBroken()
    return stop
  }
  body.on('data', onPiece).on('end', onEnd).on('close', onBroken).on('error', onBroken)
  to.on('drain', onDrain)
  // An attempt before this one has left it paused.
  if (body.isPaused()) body.resume()
  return stop
}
