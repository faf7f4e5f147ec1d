// A request's body as it arrives on a client's connection.
// The danger it guards against: a body that fills our memory because the upstream reads slower than the client writes.

import type { Socket } from 'node:net'
import { Readable } from 'node:stream'

/** Fed by the connection; its reader's pace is the socket's. */
export class RequestBody extends Readable {
  readonly #socket: Socket

  constructor(socket: Socket) {
    super()
    this.#socket = socket
  }

  /** @param piece the next bytes */
  feed(piece: Buffer): void {
    if (!this.push(piece)) this.#socket.pause()
  }

  end(): void {
    this.push(null)
  }

  override _read(): void {
    this.#socket.resume()
  }

  /** The connection is not ours: whoever drops a body only stops reading it. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#socket.resume()
    callback(error)
  }
}
