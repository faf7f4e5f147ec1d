// Both sides of a move, on bare sockets: what they do with a request is a script, what they were sent is written down by id.
// The danger it guards against: a server that mends what the script breaks, and a hit that no book has.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

export interface Asked {
  /** X-Request-Id. */
  readonly id: string
  readonly head: string
  readonly bodyBytes: number
  readonly socket: Socket
}

export interface Script {
  /** The body may still be to come. Who destroys the connection is not told of the rest. */
  readonly headCame?: (asked: Asked) => void
  readonly requestCame: (asked: Asked) => void
}

export interface Origin {
  readonly port: number
  readonly url: string
  /** The ids of the requests whose head has come. */
  readonly hits: readonly string[]
  /** The ids of those that have come whole: a server may have acted on them. */
  readonly runs: readonly string[]
  /** Breaks all connections and refuses new ones for so long. */
  vanish(forMs: number): void
  close(): Promise<void>
}

/** Listens on a free port of the loopback. */
export async function startOrigin(script: Script): Promise<Origin> {
  const books = { hits: [] as string[], runs: [] as string[] }
  const sockets = new Set<Socket>()
  let isClosed = false
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    converse(socket, script, books)
  })
  const port = await listen(server)
  // A reset while the shutdown of a connection is under way leaves it half closed in libuv, and the process spins as it exits.
  const breakAll = () => {
    for (const socket of sockets) socket.writableEnded ? socket.destroy() : socket.resetAndDestroy()
  }
  const listenAgain = () => {
    if (!isClosed && !server.listening) server.listen(port, '127.0.0.1')
  }
  // It was on its way already when all was closed: it would keep the process alive.
  server.on('listening', () => isClosed && server.close())
  // Somebody else's connection has the port for a moment.
  server.on('error', () => setTimeout(listenAgain, 10))
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    ...books,
    vanish(forMs) {
      if (server.listening) server.close(() => setTimeout(listenAgain, forMs))
      breakAll()
    },
    async close() {
      isClosed = true
      const closed = server.listening ? once(server, 'close') : undefined
      server.close()
      breakAll()
      await closed
    },
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

interface Books {
  readonly hits: string[]
  readonly runs: string[]
}

function converse(socket: Socket, { headCame, requestCame }: Script, { hits, runs }: Books): void {
  let received = ''
  let asked: Asked | undefined
  const takeHead = () => {
    const end = received.indexOf('\r\n\r\n') + 4
    if (end < 4) return
    asked = askedIn(received.slice(0, end), socket)
    received = received.slice(end)
    hits.push(asked.id)
    headCame?.(asked)
  }
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1')
    if (!asked) takeHead()
    if (!asked || socket.destroyed || received.length < asked.bodyBytes) return
    const whole = asked
    received = received.slice(asked.bodyBytes)
    asked = undefined
    runs.push(whole.id)
    requestCame(whole)
  })
}

function askedIn(head: string, socket: Socket): Asked {
  const field = (name: string) => new RegExp(`^${name}: *(.*)\r$`, 'im').exec(head)?.[1]
  return { id: field('x-request-id') ?? '', head, bodyBytes: Number(field('content-length') ?? 0), socket }
}

export function answer(socket: Socket, status: number, body: string): void {
  socket.write(`HTTP/1.1 ${status} Status\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
}

/** Answers every request well, with its name; bids those go on that ask whether to (RFC 9110 §10.1.1). */
export function wellAs(name: string): Script {
  return {
    headCame: ({ head, socket }) => {
      if (/^expect: *100-continue\r$/im.test(head)) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    },
    requestCame: ({ socket }) => answer(socket, 200, name),
  }
}
