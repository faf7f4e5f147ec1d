// One request on a connection of the fast door, from its head to its last byte.
// The danger it guards against: a body that ends elsewhere than its head says.
import type { Socket } from 'node:net'
import { abandon } from '../message/answer.ts'
import { ChunkedDecoder } from '../message/chunked.ts'
import { fieldsOf } from '../message/fields.ts'
import { nothing, pieceOf } from '../message/pieces.ts'
import type { Answer, Fields } from '../model.ts'
import { RequestBody } from './requestBody.ts'
import type { RequestHead } from './requestHead.ts'

const none: readonly Buffer[] = []

/** One request on a connection. */
export class Visit {
  readonly head: RequestHead
  /** Once it is on its way to the client. */
  answer: Answer | undefined
  isReadOff = false
  /** All of the request has arrived. */
  isWhole: boolean
  readonly #socket: Socket
  isGone = false
  #tellGone: (() => void) | undefined
  #left: number
  readonly #decoder: ChunkedDecoder | undefined
  #stream: RequestBody | undefined
  /** Pieces that came with the head, before anybody could read them. */
  #early: Buffer[] | undefined
  #isOpen = false

  constructor(head: RequestHead, socket: Socket) {
    this.head = head
    this.#socket = socket
    const { framing } = head
    this.#left = framing.kind === 'sized' ? framing.bytes : 0
    this.#decoder =
      framing.kind === 'chunked' ? new ChunkedDecoder({ data: (piece) => this.#deliver(piece) }) : undefined
    this.isWhole = !this.#decoder && this.#left === 0
  }

  /** Only a chunked body can have any. */
  get trailers(): (() => Fields) | undefined {
    const decoder = this.#decoder
    return decoder && (() => fieldsOf(decoder.trailers))
  }

  onGone(listener: () => void): void {
    const first = this.#tellGone
    if (this.isGone) listener()
    else if (!first) this.#tellGone = listener
    else {
      this.#tellGone = () => {
        first()
        listener()
      }
    }
  }

  /** The client has left. */
  leave(now: () => number): void {
    const tell = this.#tellGone
    this.#tellGone = undefined
    this.isGone = true
    tell?.()
    if (this.answer) abandon(this.answer, now)
    if (!this.isWhole) this.#stream?.destroy()
  }

  /** @returns the bytes that follow the request; undefined when it is malformed */
  feed(bytes: Buffer): Buffer | undefined {
    if (this.isWhole) return bytes
    const end = this.#decoder ? this.#decoder.push(bytes) : this.#takeSized(bytes)
    if (end === undefined) return undefined
    if (end < 0) return nothing
    this.isWhole = true
    this.#stream?.end()
    return pieceOf(bytes, end)
  }

  /** The body as the journey gets it: whole if it came with the head, else a stream. */
  open(): Buffer | RequestBody | undefined {
    const early = this.#early ?? none
    this.#early = undefined
    this.#isOpen = true
    if (this.isWhole) return this.#isBodiless(early) ? undefined : joined(early)
    this.#stream = new RequestBody(this.#socket)
    for (const piece of early) this.#stream.feed(piece)
    return this.#stream
  }

  /** Nobody reads the rest of the body; it goes nowhere. */
  readOff(): void {
    this.isReadOff = true
    this.#stream?.destroy()
    this.#stream = undefined
    this.#socket.resume()
  }

  /** `Content-Length: 0` is no body; an empty chunked one is. */
  #isBodiless(early: readonly Buffer[]): boolean {
    return early.length === 0 && !this.#decoder
  }

  #takeSized(bytes: Buffer): number {
    const end = Math.min(this.#left, bytes.length)
    this.#left -= end
    if (end > 0) this.#deliver(pieceOf(bytes, 0, end))
    return this.#left === 0 ? end : -1
  }

  #deliver(piece: Buffer): void {
    if (this.#isOpen) {
      this.#stream?.feed(piece)
      return
    }
    this.#early ??= []
    this.#early.push(piece)
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)
}
