// The connections that a door has taken in: kept, counted, let go.
// The danger it guards against: a drain that forgets a connection, or ends one that is still being answered.
import { type AddressInfo, Server, type Socket } from 'node:net'
import type { FailureCode } from '../errors.ts'
import type { Journey } from './journey.ts'
import type { SendPorts } from './send.ts'
import { createStallWatch } from './stalled.ts'

const watchEveryMs = 1_000

export interface DoorPorts extends SendPorts {
  /** One for all doors: what it notices of its peers it says once. */
  readonly journey: Journey
  /** The longest a head may take to arrive (slowloris). */
  readonly headTimeoutMs: number
  /** The longest a client may take nothing of what waits for it. */
  readonly stallMs: number
  /** A request that never became an Exchange. */
  refused(code: FailureCode): void
}

export interface Door {
  /** Rejects when the port cannot be had. */
  listen(place: { host: string; port: number }): Promise<AddressInfo>
  /** How long an idle connection is kept. */
  keepIdle(ms: number): void
  closeIdle(): void
  /** Tells those whose protocol has a word for it (WebSocket) that we are going away. */
  leaveTunnels(): void
  /** Milliseconds since the last connection came. */
  quietMs(): number
  /** Refuses new connections; those there are go on. */
  stopListening(): void
  /** Resolves when the last connection has gone. */
  emptied(): Promise<void>
  /** Cuts what is left. */
  destroy(): void
}

/** The connections that a server has accepted, whoever reads them now. */
export function doorOf(
  server: Server,
  { clock, stallMs }: Pick<DoorPorts, 'clock' | 'stallMs'>,
): Omit<Door, 'keepIdle' | 'closeIdle' | 'leaveTunnels'> {
  const sockets = new Set<Socket>()
  let onEmpty: (() => void) | undefined
  let lastCameAt = clock.now()
  server.on('connection', (socket: Socket) => {
    lastCameAt = clock.now()
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0) onEmpty?.()
    })
  })
  const cutStalled = createStallWatch(stallMs)
  server.once('listening', () => {
    const watching = setInterval(() => cutStalled(sockets, clock.now()), watchEveryMs).unref()
    server.once('close', () => clearInterval(watching))
  })
  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once('error', reject)
        server.listen({ host, port }, () => {
          server.off('error', reject)
          resolve(server.address() as AddressInfo)
        })
      }),
    quietMs: () => clock.now() - lastCameAt,
    stopListening() {
      // http's own close would reset idle connections at once; net's only stops listening.
      Server.prototype.close.call(server)
    },
    emptied: () =>
      sockets.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            onEmpty = resolve
          }),
    destroy() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
