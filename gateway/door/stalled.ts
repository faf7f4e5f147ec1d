// Clients that have stopped reading.
// The danger it guards against: a client that takes no byte of its answer keeps that answer, and its upstream's connection, for ever.
import type { Socket } from 'node:net'

interface Stall {
  /** What the system had taken when the client was last looked at. */
  readonly takenBytes: number
  /** In milliseconds of the clock. */
  readonly since: number
}

/**
 * To be called every second or so; cuts those for whom bytes have waited that long without one write being taken.
 * The system takes what fits between two and a few megabytes, so this is generous to the slow and hits only the still.
 */
export function createStallWatch(stallMs: number): (sockets: Iterable<Socket>, now: number) => void {
  const stalls = new WeakMap<Socket, Stall>()
  return (sockets, now) => {
    for (const socket of sockets) {
      // Most are idle or keep up: they cost one comparison.
      if (socket.writableLength === 0) continue
      const takenBytes = socket.bytesWritten - socket.writableLength
      const known = stalls.get(socket)
      if (known?.takenBytes !== takenBytes) stalls.set(socket, { takenBytes, since: now })
      else if (now - known.since > stallMs) socket.destroy()
    }
  }
}
