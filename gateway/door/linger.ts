// The end of a connection whose client may still be sending.
// The danger it guards against: a close with bytes unread resets the connection, and the last answer with it (RFC 9112 §9.6).
import type { Duplex } from 'node:stream'

const lingerMs = 2_000

/** Closes behind what has been written. What still comes is read, but no request any more, for as long as an answer may be on its way. */
export function linger(socket: Duplex): void {
  socket.resume()
  socket.end()
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}
