// Where clients come in, before anybody reads a request: connections are accepted, unlocked when they are TLS, and counted.
// The dangers it guards against: a drain that forgets a connection, or ends one that is still being answered; and a client
// that comes, says nothing and stays.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type SecureContext, type Server as TlsServer } from 'node:tls'
import type { Snapshot } from '../model.ts'
import { readAnnouncement } from './announced.ts'
import type { Door, DoorPorts } from './door.ts'
import { createPeersBehindTls } from './peer.ts'
import { createStallWatch } from './stalled.ts'
import { createTrusting } from './trusting.ts'

const watchEveryMs = 1_000

/** What the gateway proves itself with. */
export interface Certificates {
  /** For clients that name that host (SNI, RFC 6066 §3); undefined for a host that is none of ours. */
  contextFor(host: string): SecureContext | undefined
  /** For everybody else. */
  readonly first: { readonly cert: string; readonly key: string }
  /** Calls the listener whenever they are others. */
  onChange(listener: () => void): void
}

export interface EntrancePorts extends Pick<DoorPorts, 'clock' | 'stallMs' | 'headTimeoutMs' | 'refused'> {
  /** Absent: no TLS. */
  readonly certificates?: Certificates | undefined
  /** Read once per connection. */
  readonly live: { readonly current: Pick<Snapshot, 'settings'> }
}

export interface Entrance extends Pick<Door, 'keepIdle' | 'closeIdle' | 'leaveTunnels'> {
  /** Rejects when the port cannot be had. */
  listen(place: { host: string; port: number }): Promise<AddressInfo>
  /** Milliseconds since the last connection came. */
  quietMs(): number
  /** Refuses new connections; those there are go on. */
  stopListening(): void
  /** Resolves when the last connection has gone. */
  emptied(): Promise<void>
  /** Cuts what is left. */
  destroy(): void
}

export function openEntrance(door: Door, ports: EntrancePorts): Entrance {
  const { clock, stallMs } = ports
  const trustOf = createTrusting()
  const peers = createPeersBehindTls()
  const sockets = new Set<Socket>()
  let onEmpty: (() => void) | undefined
  let lastCameAt = clock.now()
  const locked = ports.certificates && createLock(ports.certificates, ports, welcome)

  // allowHalfOpen: the door decides itself what a client's end means, as Node's HTTP server does.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    lastCameAt = clock.now()
    keep(socket)
    const { settings } = ports.live.current
    const { proxyProtocol } = settings.public
    if (proxyProtocol === undefined) letIn(socket)
    else readAnnouncement(socket, { version: proxyProtocol, trust: trustOf(settings), taken: letIn, ...ports })
  })

  function letIn(socket: Socket): void {
    if (locked) {
      peers.remember(socket)
      locked.emit('connection', socket)
    } else {
      door.take(socket)
      // It was paused behind its announcement. TLS reads a connection by itself, and would lose what somebody else reads.
      if (socket.isPaused()) socket.resume()
    }
  }

  function welcome(socket: Socket): void {
    keep(socket)
    peers.recall(socket)
    door.take(socket)
  }

  function keep(socket: Socket): void {
    sockets.add(socket)
    socket.once('close', () => {
      sockets.delete(socket)
      if (sockets.size === 0) onEmpty?.()
    })
  }

  const cutStalled = createStallWatch(stallMs)
  const watching = setInterval(() => {
    cutStalled(sockets, clock.now())
    door.sweep()
  }, watchEveryMs).unref()
  server.once('close', () => {
    clearInterval(watching)
    door.close()
  })
  return {
    keepIdle: door.keepIdle,
    closeIdle: () => closeIdle(door, sockets),
    leaveTunnels: door.leaveTunnels,
    listen: (place) => listen(server, place),
    quietMs: () => clock.now() - lastCameAt,
    stopListening: () => void server.close(),
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

/** The door's, and those that the door does not know yet: connected ahead, and nothing of TLS or of whose they are has come. */
function closeIdle(door: Door, sockets: Iterable<Socket>): void {
  door.closeIdle()
  for (const socket of sockets) {
    const isUnheard = socket.bytesRead === 0 && !('encrypted' in socket)
    // What the door has ended is given its moment: it may have asked just now.
    if (isUnheard && !socket.writableEnded) socket.destroy()
  }
}

/** Never listens: connections are given to it. Both doors speak HTTP/1.1 alone (RFC 7301). */
function createLock(
  certificates: Certificates,
  { headTimeoutMs, refused }: EntrancePorts,
  welcome: (socket: Socket) => void,
): TlsServer {
  const lock = createTlsServer({
    ...certificates.first,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: headTimeoutMs,
    SNICallback: (host, done) => done(null, certificates.contextFor(host.toLowerCase())),
  })
  certificates.onChange(() => lock.setSecureContext(certificates.first))
  lock.on('secureConnection', welcome)
  lock.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    // Who only looks whether anybody listens has done nothing wrong.
    if (error.code !== 'ECONNRESET') refused('tlsHandshakeFailed')
    socket.destroy()
  })
  return lock
}

function listen(server: Server, place: { host: string; port: number }): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(place, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}
