// The fast door: plain HTTP/1.1 on node:net, for the requests that nearly all requests are. What it does not take it hands to
// the general door, with the connection, at a request boundary; the connection stays there.
// The danger it guards against: two judges of one request. A head is judged by this door's grammar or by the general door, never both.
import { createServer, type Socket } from 'node:net'
import { type Door, type DoorPorts, doorOf } from './door.ts'
import { FastConnection } from './fastConnection.ts'
import type { GeneralDoor } from './general.ts'

const sweepEveryMs = 1_000

export function createFastDoor(general: GeneralDoor, ports: DoorPorts): Door {
  const { clock, headTimeoutMs } = ports
  const connections = new Set<FastConnection>()
  let keepIdleMs = 75_000

  // allowHalfOpen: this door decides itself what a client's end means, as Node's HTTP server does.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const connection = new FastConnection(socket, ports, handOver)
    connections.add(connection)
    socket.once('close', () => connections.delete(connection))

    function handOver(handed: Socket, bytes: Buffer): void {
      connections.delete(connection)
      general.adopt(handed, bytes)
    }
  })

  // One look a second at all connections costs less than a timer on each.
  const sweeping = setInterval(sweep, sweepEveryMs).unref()
  server.once('close', () => clearInterval(sweeping))

  function sweep(): void {
    const now = clock.now()
    for (const connection of connections) {
      const { idleSince, partialSince } = connection
      if (partialSince !== undefined && now - partialSince > headTimeoutMs) connection.refuse('requestTimeout')
      else if (connection.isIdle && now - idleSince > keepIdleMs) connection.close()
    }
  }

  return {
    ...doorOf(server, ports),
    keepIdle(ms) {
      keepIdleMs = ms
      general.keepIdle(ms)
    },
    leaveTunnels: general.leaveTunnels,
    closeIdle() {
      for (const connection of connections) if (connection.isIdle) connection.close()
      general.closeIdle()
    },
  }
}
