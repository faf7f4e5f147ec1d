// One HTTP/1.1 connection to an upstream: it carries one request at a time and reads its answer strictly.
// The danger it guards against: a byte of one answer in another. After anything unexpected the connection is never used again.
import type { Socket } from 'node:net'
import { ChunkedDecoder } from '../message/chunked.ts'
import { nothing, pieceOf } from '../message/pieces.ts'
import { Alarm } from './alarm.ts'
import { type AnswerHead, readAnswerHead } from './answerHead.ts'
import type { Asker } from './asker.ts'
import type { Inlet } from './inlet.ts'

type Free = (connection: Connection, mayReuse: boolean) => void

export class Connection {
  readonly socket: Socket
  /** For whoever asks on it. */
  readonly alarm = new Alarm()
  /** When the connection stood, in milliseconds of the clock. */
  readonly openedAt: number
  /** Whether an answer has come on it: the upstream may since have been about to close it. */
  hasAnswered = false
  /** Nobody may ask on it again: it has left HTTP, or carries a login of nobody's. */
  isSpent = false
  /** As the upstream's Keep-Alive said last. */
  keepsIdleMs: number | undefined
  /** Until when it may be used again, in milliseconds of the clock. */
  idleUntil = 0
  /** The client connection whose login it carries; nobody else may use it then. */
  pinnedTo: object | undefined
  #asker: Asker | undefined
  #head: AnswerHead | undefined
  /** Bytes of a head that is not whole yet. */
  #partial = nothing
  /** Of a sized body; Infinity for one that lasts until the close. */
  #left = 0
  #decoder: ChunkedDecoder | undefined
  /** Gathers a chunked body that came whole with its head; undefined once it is streamed. */
  #gathered: Buffer[] | undefined
  readonly #inlet: Inlet
  readonly #free: Free

  /** @param free is told whenever an answer has ended, and once when the connection has closed */
  constructor(socket: Socket, inlet: Inlet, openedAt: number, free: Free) {
    this.socket = socket
    this.openedAt = openedAt
    this.#inlet = inlet
    this.#free = free
    inlet.take = this.#onData
    socket.on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose)
  }

  /** Whether it can be given a request: it carries none, and nothing has been heard of its end. */
  get isFree(): boolean {
    return !this.#asker && !this.isSpent && !this.socket.destroyed && this.socket.readable && this.socket.writable
  }

  /** The next answer is that asker's. */
  ask(asker: Asker): void {
    this.#asker = asker
  }

  destroy(): void {
    this.#asker = undefined
    this.socket.destroy()
  }

  readonly #onData = (chunk: Buffer): void => {
    for (let bytes: Buffer | undefined = chunk; bytes && bytes.length > 0; ) bytes = this.#take(bytes)
  }

  /** @returns the bytes that have not been taken yet; undefined when there are none or the connection is done for */
  #take(bytes: Buffer): Buffer | undefined {
    // Nobody has asked: whatever it says answers nothing.
    const asker = this.#asker
    if (!asker) return this.#giveUp(undefined, false)
    return this.#head ? this.#takeBody(bytes) : this.#takeHead(bytes, asker)
  }

  #takeHead(chunk: Buffer, asker: Asker): Buffer | undefined {
    const bytes = this.#partial.length > 0 ? Buffer.concat([this.#partial, chunk]) : chunk
    const head = readAnswerHead(bytes, asker.method)
    if (head === 'more') {
      this.#partial = bytes
      return undefined
    }
    this.#partial = nothing
    if (!head || (head.status === 101 && !asker.mayUpgrade)) return this.#giveUp(undefined, true)
    const rest = pieceOf(bytes, head.bytes)
    if (head.status === 101) return this.#switch(head, rest, asker)
    if (head.status < 200) {
      asker.informed(head)
      return rest
    }
    if (head.keepsIdleMs !== undefined) this.keepsIdleMs = head.keepsIdleMs
    return this.#startBody(head, rest, asker)
  }

  #startBody(head: AnswerHead, rest: Buffer, asker: Asker): Buffer | undefined {
    const { framing } = head
    if (framing.kind === 'none' || (framing.kind === 'sized' && framing.bytes <= rest.length)) {
      const bytes = framing.kind === 'sized' ? framing.bytes : 0
      // The answer first: it may pin the connection, which then nobody else who waits may be given.
      asker.answered(head, framing.kind === 'sized' ? pieceOf(rest, 0, bytes) : undefined, [])
      this.#finish(head, rest.length > bytes)
      return undefined
    }
    this.#head = head
    if (framing.kind === 'chunked') return this.#startChunks(head, rest, asker)
    this.#left = framing.kind === 'sized' ? framing.bytes : Number.POSITIVE_INFINITY
    asker.answered(head, 'stream', [])
    return rest
  }

  #startChunks(head: AnswerHead, rest: Buffer, asker: Asker): Buffer | undefined {
    const decoder = new ChunkedDecoder({ data: (piece) => this.#deliver(piece) })
    const gathered: Buffer[] = []
    this.#decoder = decoder
    this.#gathered = gathered
    const end = decoder.push(rest)
    this.#gathered = undefined
    if (end === undefined) return this.#giveUp(undefined, true)
    if (end >= 0) {
      asker.answered(head, gathered.length === 1 ? gathered[0] : Buffer.concat(gathered), decoder.trailers)
      this.#finish(head, end < rest.length)
      return undefined
    }
    asker.answered(head, 'stream', [])
    for (const piece of gathered) this.#deliver(piece)
    return undefined
  }

  #takeBody(bytes: Buffer): Buffer | undefined {
    if (this.#decoder) return this.#takeChunks(bytes, this.#decoder)
    const piece = pieceOf(bytes, 0, Math.min(this.#left, bytes.length))
    this.#left -= piece.length
    this.#deliver(piece)
    if (this.#left === 0) this.#endBody(piece.length < bytes.length, [])
    return undefined
  }

  #takeChunks(bytes: Buffer, decoder: ChunkedDecoder): undefined {
    const end = decoder.push(bytes)
    if (end === undefined) this.#giveUp(undefined, true)
    else if (end >= 0) this.#endBody(end < bytes.length, decoder.trailers)
  }

  #deliver(piece: Buffer): void {
    if (this.#gathered) this.#gathered.push(piece)
    else if (this.#asker && !this.#asker.data(piece)) this.socket.pause()
  }

  #endBody(hasMore: boolean, trailers: readonly string[]): void {
    const asker = this.#asker
    if (!asker || !this.#head) return
    this.#finish(this.#head, hasMore)
    asker.ended(trailers)
  }

  /** @param hasMore bytes came that belong to no answer: whose they are nobody can know */
  #finish(head: AnswerHead, hasMore: boolean): void {
    const isSent = this.#asker?.isSent() ?? false
    this.hasAnswered = true
    this.#asker = undefined
    this.#head = undefined
    this.#decoder = undefined
    const mayReuse = head.mayReuse && isSent && !hasMore && !this.isSpent
    if (!mayReuse) this.socket.destroy()
    else if (this.socket.isPaused()) this.socket.resume()
    this.#free(this, mayReuse)
  }

  #switch(head: AnswerHead, rest: Buffer, asker: Asker): undefined {
    const socket = this.#inlet.opened(this.socket)
    // The listener for errors stays: one that comes before the tunnel has a reader must find one.
    socket.off('end', this.#onEnd)
    this.#asker = undefined
    this.isSpent = true
    // Without a reader the bytes must wait, not be lost.
    socket.pause()
    if (rest.length > 0) socket.unshift(rest)
    asker.switched(head, socket)
  }

  #giveUp(error: Error | undefined, isMalformed: boolean): undefined {
    const asker = this.#asker
    this.destroy()
    asker?.broke(error, isMalformed)
  }

  readonly #onEnd = (): void => {
    if (this.#head?.framing.kind === 'untilClose') this.#endBody(false, [])
    else this.#giveUp(undefined, false)
  }

  readonly #onError = (error: Error) => this.#giveUp(error, false)
  readonly #onClose = (): void => {
    this.#giveUp(undefined, false)
    this.alarm.end()
    this.#free(this, false)
  }
}
