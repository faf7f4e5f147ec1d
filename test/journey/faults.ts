// A side of a move that fails in a chosen way once it has what it waits for, one that keeps a book, and what clients ask them.
import type { Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { startOrigin, startRawOrigin } from '../harness/origin.ts'
import { exchangeBytes } from '../harness/wire.ts'

export const faults = {
  reset: (socket: Socket) => socket.resetAndDestroy(),
  hang: () => {},
  503: (socket: Socket) => socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy'),
  500: (socket: Socket) => socket.write('HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops'),
  garbage: (socket: Socket) => socket.end('220 mail.example ESMTP\r\n\r\n'),
  halfHead: (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le'),
  midBody: (socket: Socket) =>
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf', () => socket.resetAndDestroy()),
}

export type Fault = keyof typeof faults

/** Reads a head and as much of a body as `bytesOf` says, then fails; keeps the heads of those requests. */
export async function startFaulty(act: (socket: Socket) => void, bytesOf: (head: string) => number) {
  const heads: string[] = []
  const first = Promise.withResolvers<Socket>()
  const origin = await startRawOrigin((socket) => {
    let head = ''
    let bodyBytes = 0
    socket.on('data', (chunk) => {
      if (head.includes('\r\n\r\n')) bodyBytes += chunk.length
      else head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end >= 0) first.resolve(socket)
      if (end < 0 || head.length - end - 4 + bodyBytes < bytesOf(head)) return
      heads.push(head)
      head = ''
      bodyBytes = 0
      act(socket)
    })
  })
  return {
    ...origin,
    heads,
    /** The connection on which the first head has come. */
    first: first.promise,
  }
}

export interface Entry {
  readonly method: string
  readonly path: string
  readonly fields: NodeJS.Dict<string | string[]>
  readonly body: string
}

/** Answers `name` and writes down what it was asked. */
export async function startBook(name: string) {
  const entries: Entry[] = []
  const origin = await startOrigin(async (request, response) => {
    // One whose client breaks off is no entry.
    const body = await buffer(request).catch(() => undefined)
    if (!body) return
    const { method = '', url = '', headers } = request
    entries.push({ method, path: url, fields: headers, body: body.toString('latin1') })
    response.setHeader('Content-Length', name.length)
    response.end(name)
  })
  return { ...origin, entries }
}

/** Far more than is kept. */
export const large = 'large '.repeat(100_000)

/** One request on a connection of its own. @returns `status body`, with a `!` for a body that broke off */
export async function tell(port: number, method: string, path: string, body = ''): Promise<string> {
  const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`
  const head = `${method} ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${length}\r\n`
  return told((await exchangeBytes(port, head + body)).received)
}

export function told(received: string): string {
  const end = received.indexOf('\r\n\r\n')
  const body = received.slice(end + 4)
  const status = received.slice(9, 12)
  const wanted = /content-length: (\d+)/i.exec(received.slice(0, end))?.[1]
  if (wanted !== undefined && body.length < Number(wanted)) return `${status} ${body}!`
  const code = body.startsWith('{') ? JSON.parse(body).code : body
  return `${status} ${code}`
}
