// Node's own HTTP parser over bytes in memory: the other reader.
// The danger it guards against: an end that is only believed. The bytes come in pieces that stop one byte before each end that our
// parser found, and at it, and what is complete is counted at both.
import { createServer, type IncomingMessage, request } from 'node:http'
import { Duplex } from 'node:stream'

export interface NodeMessage {
  readonly start: string
  readonly raw: readonly string[]
  readonly body: string
  readonly trailers: readonly string[]
}

export interface NodeReading {
  readonly messages: readonly NodeMessage[]
  /** For each cut how many messages were complete there. */
  readonly completeAt: readonly number[]
}

const mostHeadBytes = 1024 * 1024

/** @param cuts ascending; what follows the last one is not read */
export async function nodeAnswers(method: string, bytes: string, cuts: readonly number[]): Promise<NodeReading> {
  const socket = memorySocket()
  const messages: NodeMessage[] = []
  let answer: IncomingMessage | undefined
  const asked = request({ method, createConnection: () => socket, maxHeaderSize: mostHeadBytes })
  asked.maxHeadersCount = 0
  asked.on('error', () => {})
  asked.on('information', ({ statusCode, statusMessage, rawHeaders }) => {
    messages.push({ start: `${statusCode} ${statusMessage}`, raw: rawHeaders, body: '', trailers: [] })
  })
  asked.on('response', (response) => {
    answer = response.on('error', () => {})
  })
  asked.end()
  // Node gives a request its connection in the next tick.
  await Promise.resolve()
  await new Promise<void>((resolve) => process.nextTick(resolve))
  const completeAt = feed(socket, bytes, cuts, () => messages.length + (answer?.complete ? 1 : 0))
  if (answer && !answer.complete) socket.emit('end')
  if (answer?.complete) messages.push(messageOf(`${answer.statusCode} ${answer.statusMessage}`, answer))
  asked.destroy()
  socket.destroy()
  return { messages, completeAt }
}

const server = createServer({ maxHeaderSize: mostHeadBytes, requireHostHeader: false })
server.maxHeadersCount = 0
server.on('clientError', () => {})
let arrived: IncomingMessage[] = []
server.on('request', (message: IncomingMessage) => arrived.push(message.on('error', () => {})))

export function nodeRequests(bytes: string, cuts: readonly number[]): NodeReading {
  const socket = memorySocket()
  arrived = []
  server.emit('connection', socket)
  const completeAt = feed(socket, bytes, cuts, () => arrived.filter(({ complete }) => complete).length)
  const messages = arrived.map((message) => messageOf(`${message.method} ${message.url}`, message))
  socket.destroy()
  return { messages, completeAt }
}

function memorySocket(): Duplex {
  return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }).on('error', () => {})
}

function feed(socket: Duplex, bytes: string, cuts: readonly number[], complete: () => number): number[] {
  let from = 0
  return cuts.map((cut) => {
    if (cut > from) socket.emit('data', Buffer.from(bytes.slice(from, cut), 'latin1'))
    from = cut
    return complete()
  })
}

function messageOf(start: string, message: IncomingMessage): NodeMessage {
  const body = message.read() as Buffer | null
  return { start, raw: message.rawHeaders, body: body?.toString('latin1') ?? '', trailers: message.rawTrailers }
}
