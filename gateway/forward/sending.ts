// A request's way out on a connection: written at once, or pumped from its stream as fast as the upstream reads.
// The danger it guards against: a body that broke off and passes for whole, and a request taken for unsent that was not.
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { Failure } from '../errors.ts'
import { chunkedEnd, chunkedOf } from '../message/chunked.ts'
import { isFlushed, whenFlushed, writePiece, writeWhole } from '../message/wire.ts'
import type { Exchange } from '../model.ts'
import { pump } from './pump.ts'
import { headOf, isSentChunked } from './requestBytes.ts'

/** Whose request it is. */
interface Sender {
  /** A piece has gone out. */
  moved(): void
  /** The last byte has. */
  sent(): void
  /** The client's body broke: the upstream must not take what it got for the whole. */
  fail(failure: Failure): void
}

/** One sending of one request on one connection. */
export class Sending {
  isSent = false
  readonly #exchange: Exchange
  readonly #sender: Sender
  /** Whether the client has been told to send its body, or has begun to. */
  #isInvited = false
  #stop: (() => void) | undefined

  constructor(exchange: Exchange, sender: Sender) {
    this.#exchange = exchange
    this.#sender = sender
  }

  start(socket: Socket): void {
    const { body, trailers } = this.#exchange
    const isChunked = isSentChunked(this.#exchange)
    const head = headOf(this.#exchange, isChunked)
    if (body instanceof Readable) {
      if (!body.destroyed) socket.write(head, 'latin1')
      this.#stop = this.#pump(body, isChunked, socket)
      return
    }
    if (body === undefined) socket.write(head, 'latin1')
    else writeWhole(head, isChunked ? chunkedOf(body, trailers?.().raw) : body, socket)
    // A small request is with the system already; a large one takes as long as the upstream takes to read it.
    this.#end(socket)
  }

  /** Nothing is written from now on, and the body is left to its owner. */
  stop(): void {
    this.#stop?.()
  }

  /** The upstream has said 100. */
  invited(): void {
    this.#isInvited = true
  }

  /** Whether the client owes the next byte: not while the upstream takes none, nor before it has said 100 to who waits for it. */
  isClientsTurn(): boolean {
    const { body, fields } = this.#exchange
    const isInvited = this.#isInvited || !fields.has('expect')
    return !this.isSent && isInvited && body instanceof Readable && !body.isPaused()
  }

  #pump(body: Readable, isChunked: boolean, socket: Socket): () => void {
    return pump(body, socket, {
      write(piece) {
        readFirst(socket)
        return writePiece(piece, isChunked, socket)
      },
      moved: () => {
        this.#isInvited = true
        this.#sender.moved()
      },
      ended: () => {
        if (isChunked) socket.write(chunkedEnd(this.#exchange.trailers?.().raw), 'latin1')
        this.#end(socket)
      },
      failed: (failure) => this.#sender.fail(failure),
    })
  }

  #end(socket: Socket): void {
    if (isFlushed(socket)) this.#sent()
    else whenFlushed(socket, () => this.#sent())
  }

  #sent(): void {
    this.isSent = true
    this.#sender.sent()
  }
}

/** Far below any send buffer: the system takes a write of this size to an idle connection whole or not at all. */
const mostBytesAtOnce = 8 * 1024

/**
 * Whether the system refused the one write that the whole request was (EPIPE, ECONNRESET): the upstream had closed the idle
 * connection and has seen no byte of it.
 */
export function isSurelyUnsent(exchange: Exchange, error: Error | undefined): boolean {
  const { body } = exchange
  if ((error as NodeJS.ErrnoException | undefined)?.syscall !== 'write' || body instanceof Readable) return false
  return headOf(exchange, true).length + (body?.length ?? 0) <= mostBytesAtOnce
}

/**
 * Holds what is written until this round of the event loop has read what has arrived. An upstream that refuses an upload and
 * closes at once resets the connection: a write that meets the reset would end it with the refusal unread.
 */
function readFirst(socket: Socket): void {
  if (socket.writableCorked > 0) return
  socket.cork()
  setImmediate(() => socket.uncork())
}
