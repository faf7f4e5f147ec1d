// The HTTP server that the monolith and the services stand on.
// The danger it guards against: a stop that cuts off requests that could have ended by themselves.
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { FrontDesk } from './desk.ts'
import type { Site } from './site.ts'

export interface Running {
  readonly url: string
  readonly port: number
  /** Accepts nothing more, lets what runs end, and closes what does not within 5 s. */
  stop(): Promise<void>
}

const stopGraceMs = 5000
/** Longer than any sane gateway keeps an idle connection, so that it is never us who close under a request. */
const keepAliveMs = 75_000

/** Starts a system; resolves once it listens. */
export async function startSite(site: Site): Promise<Running> {
  const host = site.host ?? '127.0.0.1'
  const stopping = new AbortController()
  const desk = new FrontDesk(site, stopping.signal)
  const server = createServer(
    {
      keepAliveTimeout: keepAliveMs,
      shouldUpgradeCallback: (request) => site.upgrades?.wants(request) ?? false,
    },
    (request, response) => void desk.receive(request, response),
  )
  const endConnections = connectionEnder(server)
  // Node would drop the fields beyond 1000 without a word.
  server.maxHeadersCount = 0
  server.on('upgrade', (request, socket: Socket, head) => void desk.upgrade(request, socket, head))
  try {
    await listen(server, site.port, host)
  } catch (error) {
    await site.close?.()
    throw error
  }
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    async stop() {
      stopping.abort()
      endConnections()
      await closeWithin(server, stopGraceMs)
      await site.close?.()
    },
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
}

/**
 * Node's close leaves a connection open that was busy at that moment. From this call on every answer says
 * `Connection: close` (RFC 9112 §9.6), and a connection whose head was out already is closed when it falls idle.
 */
function connectionEnder(server: Server): () => void {
  const open = new Set<ServerResponse>()
  let isEnding = false
  server.prependListener('request', (_, response: ServerResponse) => {
    response.shouldKeepAlive &&= !isEnding
    open.add(response)
    response.once('close', () => {
      open.delete(response)
      if (isEnding) setImmediate(() => server.closeIdleConnections())
    })
  })
  return () => {
    isEnding = true
    for (const response of open) response.shouldKeepAlive = false
  }
}

function closeWithin(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), graceMs)
    server.close(() => {
      clearTimeout(late)
      resolve()
    })
  })
}
