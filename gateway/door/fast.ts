// The fast door: plain HTTP/1.1 on node:net, for the requests that nearly all requests are. What it does not take it hands to
// the general door, with the connection, at a request boundary; the connection stays there.
// The danger it guards against: two judges of one request. A head is judged by this door's grammar or by the general door, never both.
import type { Door, DoorPorts } from './door.ts'
import { FastConnection } from './fastConnection.ts'
import type { GeneralDoor } from './general.ts'

export function createFastDoor(general: GeneralDoor, ports: DoorPorts): Door {
  const { clock, headTimeoutMs } = ports
  const connections = new Set<FastConnection>()
  let keepIdleMs = 75_000

  return {
    take(socket) {
      const connection = new FastConnection(socket, ports, (handed, bytes) => {
        connections.delete(connection)
        general.adopt(handed, bytes)
      })
      connections.add(connection)
      socket.once('close', () => connections.delete(connection))
    },
    // One look a second at all connections costs less than a timer on each.
    sweep() {
      const now = clock.now()
      for (const connection of connections) {
        const { idleSince, partialSince } = connection
        if (partialSince !== undefined && now - partialSince > headTimeoutMs) connection.refuse('requestTimeout')
        else if (connection.isIdle && now - idleSince > keepIdleMs) connection.close()
      }
    },
    keepIdle(ms) {
      keepIdleMs = ms
      general.keepIdle(ms)
    },
    leaveTunnels: general.leaveTunnels,
    close: general.close,
    closeIdle() {
      for (const connection of connections) if (connection.isIdle) connection.close()
      general.closeIdle()
    },
  }
}
