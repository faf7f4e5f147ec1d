// The load tests' own HTTP client: sends each request once and tells exactly how it ended. It never repeats anything.
// The danger it guards against: a client that hides a loss: one that retries on a broken keep-alive connection (browsers
// and most libraries do), or that takes a body cut in the middle for an answer (autocannon does).
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'

export interface Ask {
  readonly method: string
  /** Path and query, as it goes on the wire. */
  readonly target: string
  readonly fields?: Readonly<Record<string, string>>
  readonly body?: Buffer | undefined
  /** Says `Connection: close`, and keeps to it: nothing is sent on that connection any more (RFC 9112 §9.6). */
  readonly isLast?: boolean
}

/** How the exchange ended on the wire, before anybody has judged what was in the answer. */
export type Ending =
  /** A whole answer (RFC 9112 §8: its framing says so). */
  | 'whole'
  /** The connection broke, or something that is no HTTP came, before there was an answer's head. */
  | 'reset'
  /** The head came, the body ended early: fewer bytes than Content-Length, or no last chunk. */
  | 'truncated'
  | 'timedOut'
  /** No connection could be made. */
  | 'refused'

export interface Reply {
  readonly ending: Ending
  /** The error's code where it did not end whole: ECONNRESET, HPE_INVALID_CONSTANT … */
  readonly cause?: string
  /** 0 without a head. */
  readonly status: number
  /** By lower-case name; of several of the same name the first. */
  readonly fields: Readonly<Record<string, string>>
  readonly body: Buffer
  /** The body's end is only known by the end of the connection: it could have been cut unseen (RFC 9112 §6.3 case 8). */
  readonly isEndUnsure: boolean
}

export interface Client {
  /** Never rejects: each way to end is a Reply. */
  send(ask: Ask): Promise<Reply>
  /** Connections made so far. */
  connections(): number
  /** Closes all connections, also those in use. */
  close(): void
}

// Idle connections are dropped long before any server would: otherwise a server's closing and our sending could cross.
const idleMs = 4_000

/** @param timeoutMs from sending to the last byte of the answer */
export function connectTo(origin: string, timeoutMs: number): Client {
  const { hostname, port } = new URL(origin)
  const agent = new Agent({ keepAlive: true, timeout: idleMs, maxFreeSockets: 1024 })
  let connections = 0
  const send = (ask: Ask): Promise<Reply> =>
    new Promise((resolve) => {
      const outgoing = request({
        agent,
        hostname,
        port,
        method: ask.method,
        path: ask.target,
        headers: headersOf(ask),
        // Node would otherwise take a header that looks wrong for right.
        insecureHTTPParser: false,
      })
      // The field alone would not do: Node would send the next request into the closing connection.
      if (ask.isLast) outgoing.shouldKeepAlive = false
      outgoing.on('socket', (socket) => {
        if (socket.connecting) socket.once('connect', () => (connections += 1))
      })
      follow(outgoing, timeoutMs, resolve)
      outgoing.end(ask.body)
    })
  return { send, connections: () => connections, close: () => agent.destroy() }
}

function headersOf(ask: Ask): Record<string, string> {
  const headers: Record<string, string> = { ...ask.fields }
  if (ask.body) headers['content-length'] = String(ask.body.length)
  return headers
}

/** Calls `settle` once, with how it ended. */
function follow(outgoing: ClientRequest, timeoutMs: number, settle: (reply: Reply) => void): void {
  let incoming: IncomingMessage | undefined
  const chunks: Buffer[] = []
  let isOver = false
  const end = (ending: Ending, cause?: string) => {
    if (isOver) return
    isOver = true
    clearTimeout(timer)
    settle(replyOf({ ending, chunks, incoming, ...(cause ? { cause } : {}) }))
    if (ending !== 'whole') outgoing.destroy()
  }
  const timer = setTimeout(() => end('timedOut'), timeoutMs)
  outgoing.on('error', (error: NodeJS.ErrnoException) => {
    // A syscall of `connect` or a name that is not found: nothing was sent.
    const isUnconnected = error.syscall === 'connect' || error.syscall === 'getaddrinfo'
    end(incoming ? 'truncated' : isUnconnected ? 'refused' : 'reset', error.code ?? error.message)
  })
  outgoing.on('close', () => end(incoming ? 'truncated' : 'reset'))
  outgoing.on('response', (response) => {
    incoming = response
    response.on('data', (chunk: Buffer) => chunks.push(chunk))
    response.on('end', () => end(response.complete ? 'whole' : 'truncated'))
  })
}

interface Received {
  readonly ending: Ending
  readonly cause?: string
  readonly chunks: readonly Buffer[]
  readonly incoming: IncomingMessage | undefined
}

function replyOf({ ending, cause, chunks, incoming }: Received): Reply {
  const fields: Record<string, string> = {}
  for (const [name, values] of Object.entries(incoming?.headersDistinct ?? {})) fields[name] = values?.[0] ?? ''
  const isFramed = fields['content-length'] !== undefined || fields['transfer-encoding'] !== undefined
  const mayHaveBody = incoming !== undefined && incoming.statusCode !== 204 && incoming.statusCode !== 304
  return {
    ending,
    ...(cause ? { cause } : {}),
    status: incoming?.statusCode ?? 0,
    fields,
    body: Buffer.concat(chunks),
    isEndUnsure: mayHaveBody && !isFramed,
  }
}
