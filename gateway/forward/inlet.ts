// What arrives on a connection to an upstream, read into a buffer that is used again and again. Node's own way, a new buffer and a
// stream's `data` event for each read, costs a twentieth of a small request: see decision 0005.
// The danger it guards against: bytes that somebody still holds when the next read writes over them. Whatever is handed on is a copy,
// or the buffer itself, which is then not read into again.
import type { Socket } from 'node:net'

/** As much as Node reads at once. */
const bufferBytes = 64 * 1024
/** From here on copying costs more than another buffer. */
const handedOnBytes = 8 * 1024

export class Inlet {
  /** Takes what has arrived, for good. It returns false to be given no more until the socket resumes. */
  take: (bytes: Buffer) => unknown = () => false
  #buffer = Buffer.allocUnsafeSlow(bufferBytes)

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
    if (length < handedOnBytes) {
      const copy = Buffer.allocUnsafe(length)
      buffer.copy(copy, 0, 0, length)
      return copy
    }
    this.#buffer = Buffer.allocUnsafeSlow(bufferBytes)
    return buffer.subarray(0, length)
  }
}
