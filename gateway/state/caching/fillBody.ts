// An answer's body on its way into stock: read at its own pace up to a bound, while one client reads it at his. If the client
// leaves it is read on; beyond the bound it is the client's stream, and nobody's else.
// The danger it guards against: a slow client who holds up all who wait for the same, and a body without end that fills the memory.
import { Readable } from 'node:stream'
import { dropBody } from '../../message/answer.ts'
import { Copy } from '../../message/keep.ts'

/** All of it, or a word why not. */
export type Filled = Buffer | 'tooLarge' | 'broken'

export class FillBody extends Readable {
  /** Settles once it is known; never rejects. */
  readonly filled: Promise<Filled>
  readonly #tell: (filled: Filled) => void
  readonly #source: Readable
  readonly #copy: Copy
  readonly #mostBytes: number
  readonly #grown: (soFar: Buffer) => void
  /** How much of the copy the client has. */
  #read = 0
  /** Beyond the bound: what the client is to have before the source goes on. */
  #rest: Buffer[] | undefined
  #isWanted = false
  #hasEnded = false

  /** @param grown is told each time what has come so far, while it is not beyond the bound */
  constructor(source: Readable, mostBytes: number, grown: (soFar: Buffer) => void = () => {}) {
    super()
    const { promise, resolve } = Promise.withResolvers<Filled>()
    this.filled = promise
    this.#tell = resolve
    this.#source = source
    this.#mostBytes = mostBytes
    this.#grown = grown
    this.#copy = new Copy(mostBytes)
    // A break while nobody reads must not end the process.
    this.on('error', () => {})
    source.on('end', () => this.#end())
    source.on('error', (error) => this.#break(error))
    source.on('close', () => this.#hasEnded || this.#break(undefined))
    // It broke before we listened: no event will say so again.
    if (source.destroyed) this.#break(source.errored ?? undefined)
    else source.on('data', (piece: Buffer) => this.#take(piece))
  }

  get #kept(): Buffer {
    const { kept } = this.#copy
    return kept === 'tooLarge' ? nothing : kept
  }

  #take(piece: Buffer): void {
    if (this.#rest) this.#rest.push(piece)
    else if (this.#kept.length + piece.length <= this.#mostBytes) {
      this.#copy.add(piece)
      this.#grown(this.#kept)
    } else this.#giveUp(piece)
    this.#feed()
  }

  /** From here on it goes at the client's pace, if he is there still. */
  #giveUp(piece: Buffer): void {
    const unread = this.#kept.subarray(this.#read)
    this.#copy.forget()
    this.#rest = unread.length > 0 ? [unread, piece] : [piece]
    this.#tell('tooLarge')
    if (this.destroyed) dropBody(this.#source)
  }

  #feed(): void {
    if (this.destroyed) return
    if (this.#rest) this.#pass(this.#rest)
    else if (this.#isWanted && this.#read < this.#kept.length) {
      const unread = this.#kept.subarray(this.#read)
      this.#read += unread.length
      this.#isWanted = this.push(unread)
    }
    if (this.#hasEnded && !this.#hasUnread()) this.push(null)
  }

  #pass(rest: Buffer[]): void {
    while (this.#isWanted && rest.length > 0) this.#isWanted = this.push(rest.shift())
    if (this.#isWanted && rest.length === 0) this.#source.resume()
    else this.#source.pause()
  }

  #hasUnread(): boolean {
    return this.#rest ? this.#rest.length > 0 : this.#read < this.#kept.length
  }

  #end(): void {
    this.#hasEnded = true
    this.#tell(this.#rest ? 'tooLarge' : own(this.#kept))
    this.#feed()
  }

  #break(error: Error | undefined): void {
    this.#tell('broken')
    this.destroy(error)
  }

  override _read(): void {
    this.#isWanted = true
    this.#feed()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (this.#rest && !this.#hasEnded) dropBody(this.#source)
    callback(error)
  }
}

const nothing = Buffer.alloc(0)

/** Without the room that it grew into, or the buffer that it was cut from. */
export function own(bytes: Buffer): Buffer {
  if (bytes.length === bytes.buffer.byteLength) return bytes
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
