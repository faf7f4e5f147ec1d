// An Answer as bytes for a client: head, framing, body, trailers.
// The danger it guards against: a broken answer that looks whole, and a client's slowness that fills our memory.
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { dropBody } from '../message/answer.ts'
import { chunkedEnd, chunkedOf } from '../message/chunked.ts'
import { linesOf } from '../message/fields.ts'
import { endToEnd } from '../message/hopByHop.ts'
import { isFlushed, whenFlushed, writePiece, writeWhole } from '../message/wire.ts'
import type { Answer, Fields } from '../model.ts'

/** What of the request and its connection an answer's bytes depend on. */
interface Occasion {
  readonly method: string
  /** Whether the connection closes after this answer. */
  readonly isLast: boolean
}

/** Who is told how the writing of an answer ended. */
export interface Writing {
  /** The last byte is with the system. */
  done(bodyBytes: number): void
  /** The body broke: what was sent is no whole answer, and the client must see it. */
  broke(bodyBytes: number): void
}

/** Writes all of an answer, however long that takes. */
export function writeAnswer(answer: Answer, occasion: Occasion, socket: Socket, writing: Writing): void {
  // RFC 9110 §9.3.2: what the gateway itself answers has a body; HEAD has not.
  const body = occasion.method === 'HEAD' ? undefined : answer.body
  if (body !== answer.body) dropBody(answer.body)
  const isChunked = body !== undefined && !answer.fields.has('content-length')
  const head = headOf(answer, occasion.isLast, isChunked)
  if (body instanceof Readable) {
    new Pump({ answer, body, head, isChunked, socket, writing }).start()
    return
  }
  if (body === undefined) socket.write(head, 'latin1')
  else writeWhole(head, isChunked ? chunkedOf(body, answer.trailers?.().raw) : body, socket)
  const bodyBytes = body?.length ?? 0
  if (isFlushed(socket)) writing.done(bodyBytes)
  else whenFlushed(socket, () => writing.done(bodyBytes))
}

/** Interim answers have no end of their own: who does not read them is told no more of them. */
const mostInterimBytes = 64 * 1024

/** An interim answer (RFC 9110 §15.2). */
export function writeInterim(status: number, fields: Fields, socket: Socket): void {
  if (socket.writableLength > mostInterimBytes) return
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  socket.write(`${line}${linesOf(endToEnd(fields))}\r\n`, 'latin1')
}

function headOf({ status, reason, fields, by }: Answer, isLast: boolean, isChunked: boolean): string {
  const line = `HTTP/1.1 ${status} ${by === 'upstream' ? reason : (STATUS_CODES[status] ?? '')}\r\n`
  let head = line + linesOf(fields)
  if (isChunked) head += 'Transfer-Encoding: chunked\r\n'
  if (isLast) head += 'Connection: close\r\n'
  return `${head}\r\n`
}

interface Pumped {
  readonly answer: Answer
  readonly body: Readable
  readonly head: string
  readonly isChunked: boolean
  readonly socket: Socket
  readonly writing: Writing
}

/** Carries a streamed body. */
class Pump {
  readonly #parts: Pumped
  /** The head waits for the first piece, to share its packet. */
  #head: string
  #bodyBytes = 0
  /** Of a sized body: what must still come. */
  #left: number

  constructor(parts: Pumped) {
    this.#parts = parts
    this.#head = parts.head
    this.#left = parts.isChunked ? Number.POSITIVE_INFINITY : Number(parts.answer.fields.get('content-length'))
  }

  start(): void {
    const { body, socket } = this.#parts
    if (body.destroyed) {
      // It broke before anybody listened: no event will say so again.
      this.#onClose()
      return
    }
    body.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onClose)
    // An error is followed by the close, which says it all.
    body.on('error', () => {})
    socket.on('drain', this.#onDrain)
    // But it does not wait long: a body may be slow to come, or be an event stream.
    setImmediate(() => this.#writeHead())
  }

  #writeHead(): void {
    if (this.#head === '' || this.#parts.socket.destroyed) return
    this.#parts.socket.write(this.#head, 'latin1')
    this.#head = ''
  }

  readonly #onData = (piece: Buffer): void => {
    const { socket, body, isChunked } = this.#parts
    this.#bodyBytes += piece.length
    this.#left -= piece.length
    if (this.#left < 0) {
      // More than it declared: whoever reads on would take the rest for the next answer.
      body.destroy()
      return
    }
    socket.cork()
    this.#writeHead()
    const mayGoOn = writePiece(piece, isChunked, socket)
    socket.uncork()
    if (!mayGoOn) body.pause()
  }

  readonly #onDrain = (): void => {
    this.#parts.body.resume()
  }

  readonly #onEnd = (): void => {
    const { answer, socket, isChunked, writing } = this.#parts
    if (!isChunked && this.#left > 0) return
    this.#stop()
    this.#writeHead()
    if (isChunked) socket.write(chunkedEnd(answer.trailers?.().raw), 'latin1')
    whenFlushed(socket, () => writing.done(this.#bodyBytes))
  }

  /** Before its end, or an end that came too early. */
  readonly #onClose = (): void => {
    this.#stop()
    this.#parts.writing.broke(this.#bodyBytes)
  }

  #stop(): void {
    const { body, socket } = this.#parts
    body.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onClose)
    socket.off('drain', this.#onDrain)
  }
}
