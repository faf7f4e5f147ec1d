// A request body as an upstream's client may have it.
// The danger it guards against: a client library that destroys the body of a failed attempt destroys, with Node's requests, the
// client's connection too, and the 502 on it.
import { Readable } from 'node:stream'
import { Failure } from '../errors.ts'

/** A stream of the same bytes whose destruction leaves the owner's stream alone, only paused. */
export function lend(owner: Readable): Readable {
  const onChunk = (chunk: Buffer) => {
    if (!lent.push(chunk)) owner.pause()
  }
  const onBroken = () => lent.destroy(new Failure('requestBodyBroken', 'the request body broke off'))
  const release = () => owner.off('data', onChunk).off('end', onEnd).off('close', onBroken).off('error', onBroken)
  const onEnd = () => {
    release()
    lent.push(null)
  }
  const lent = new Readable({
    read: () => {
      owner.resume()
    },
    destroy(error, callback) {
      release()
      owner.pause()
      callback(error)
    },
  })
  owner.on('data', onChunk).on('end', onEnd).on('close', onBroken).on('error', onBroken)
  // A listener for data sets the owner flowing; it shall flow only when asked.
  owner.pause()
  return lent
}
