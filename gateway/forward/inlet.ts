// What arrives on a connection to an upstream, read into a buffer that is used again and again. Node's own way, a new buffer and a
// stream's `data` event for each read, costs a twentieth of a small request: see decision 0005.
// The danger it guards against: bytes that somebody still holds when the next read writes over them, and small pieces that each
// hold on to a large buffer. Whatever is handed on is a copy of its length, or a buffer that is full and is not read into again.
import type { Socket } from 'node:net'

/** As much as Node reads at once. */
const bufferBytes = 64 * 1024
/** Of all connections: each read is told before the next one begins, and copied before anybody hears of it. */
const shared = Buffer.allocUnsafeSlow(bufferBytes)
/** Larger copies are not taken from Node's pool: whoever keeps one would keep the whole pool. */
const pooledBytes = 4 * 1024

export class Inlet {
  /** Takes what has arrived, for good. It returns false to be given no more until the socket resumes. */
  take: (bytes: Buffer) => unknown = () => false
  #buffer = shared

  /** As `net.connect` and `tls.connect` want it; a socket that has one emits no `data`. */
  get onread() {
    return { buffer: () => this.#buffer, callback: (length: number) => this.take(this.#taken(length)) !== false }
  }

  /** From now on the bytes are read off its socket as off any stream. */
  opened(socket: Socket): Socket {
    this.take = (bytes) => socket.push(bytes)
    return socket
  }

  #taken(length: number): Buffer {
    const buffer = this.#buffer
    const isFull = length === bufferBytes
    // There is more where so much came from: the next read may fill a buffer that can be handed on as it is.
    this.#buffer = isFull ? Buffer.allocUnsafeSlow(bufferBytes) : shared
    return isFull && buffer !== shared ? buffer : copyOf(buffer, length)
  }
}

function copyOf(buffer: Buffer, length: number): Buffer {
  const copy = length < pooledBytes ? Buffer.allocUnsafe(length) : Buffer.allocUnsafeSlow(length)
  buffer.copy(copy, 0, 0, length)
  return copy
}
