// The body of an answer that did not come whole with its head.
// The danger it guards against: an upstream that goes on sending what nobody will read, or faster than anybody reads.
import { Readable } from 'node:stream'
import { spend } from '../message/spent.ts'

interface Source {
  /** The reader wants more. */
  resume(): void
  /** The reader has gone, maybe before the end. */
  abandoned(): void
}

export class AnswerBody extends Readable {
  readonly #source: Source

  constructor(source: Source) {
    super()
    this.#source = source
    // A break while no filter listens yet must not end the process; whoever comes later sees `errored`.
    this.on('error', () => {})
  }

  /** The next bytes. @returns false when the reader has enough for now */
  feed(piece: Buffer): boolean {
    spend(piece.length)
    return this.push(piece)
  }

  override _read(): void {
    this.#source.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#source.abandoned()
    callback(error)
  }
}
