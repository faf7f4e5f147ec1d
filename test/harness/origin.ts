// Upstreams for journey tests: a plain HTTP server, and one that writes bytes as a test says.
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net'

export interface Origin {
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** An HTTP server on a free port. `upgrade` listeners may be added to `server`. */
export async function startOrigin(listener: RequestListener): Promise<Origin & { readonly server: Server }> {
  const server = createServer({ keepAliveTimeout: 30_000 }, listener)
  return { ...(await listen(server)), server }
}

/** A TCP server on a free port that hands each connection to the test. */
export async function startRawOrigin(onConnection: (socket: Socket) => void): Promise<Origin> {
  return listen(
    createNetServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => socket.destroy())
      onConnection(socket)
    }),
  )
}

/** Answers each complete head (it must have no body) with the same bytes; counts the heads. */
export async function startScriptedOrigin(answer: (socket: Socket, head: string) => void) {
  const heads: string[] = []
  const origin = await startRawOrigin((socket) => {
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
        const head = received.slice(0, end + 4)
        received = received.slice(end + 4)
        heads.push(head)
        answer(socket, head)
      }
    })
  })
  return { ...origin, heads }
}

async function listen(server: Server | NetServer): Promise<Origin> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
