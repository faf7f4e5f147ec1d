// An Answer whose body is kept aside, up to a bound, while it goes to the client.
// The danger it guards against: a client that waits for whoever listens in. The copy is made as the bytes pass, at the client's pace.
import { Readable } from 'node:stream'
import type { Answer } from '../model.ts'
import { dropBody } from './answer.ts'

/** A body as it was kept: all of it, or a word why not. */
export type Kept = Buffer | 'none' | 'tooLarge'

export interface Tapped {
  readonly answer: Answer
  /** Undefined when it never came to its end. */
  readonly kept: Promise<Kept | undefined>
}

export function tap(answer: Answer, mostBytes: number): Tapped {
  const { body } = answer
  if (body === undefined) return { answer, kept: Promise.resolve('none') }
  if (!(body instanceof Readable)) {
    return { answer, kept: Promise.resolve(body.length > mostBytes ? 'tooLarge' : body) }
  }
  const { promise, resolve } = Promise.withResolvers<Kept | undefined>()
  return { answer: { ...answer, body: new TappedBody(body, mostBytes, resolve) }, kept: promise }
}

/** Reads all of an answer that goes to nobody, and ends it; what is beyond the bound is not waited for. */
export async function keepAnswer(answer: Answer, mostBytes: number, now: () => number): Promise<Kept | undefined> {
  const { answer: tapped, kept } = tap(answer, mostBytes)
  if (tapped.body instanceof Readable) tapped.body.resume()
  const known = await kept
  if (known === undefined) answer.settle({ how: 'upstreamBroke', bodyBytes: 0, at: now() })
  else if (known !== 'tooLarge')
    answer.settle({ how: 'complete', bodyBytes: known === 'none' ? 0 : known.length, at: now() })
  answer.discard()
  return known
}

class TappedBody extends Readable {
  readonly #source: Readable
  readonly #mostBytes: number
  readonly #tell: (kept: Kept | undefined) => void
  #pieces: Buffer[] = []
  #bytes = 0

  constructor(source: Readable, mostBytes: number, tell: (kept: Kept | undefined) => void) {
    super()
    this.#source = source
    this.#mostBytes = mostBytes
    this.#tell = tell
    // As of the source itself: a break while nobody listens yet must not end the process.
    this.on('error', () => {})
    source.on('data', (piece: Buffer) => this.#take(piece))
    source.on('end', () => {
      tell(this.#bytes > mostBytes ? 'tooLarge' : Buffer.concat(this.#pieces))
      this.push(null)
    })
    source.on('error', (error) => this.destroy(error))
    source.on('close', () => source.readableEnded || this.destroy())
    source.pause()
    if (source.errored) this.destroy(source.errored)
  }

  #take(piece: Buffer): void {
    this.#bytes += piece.length
    if (this.#bytes <= this.#mostBytes) this.#pieces.push(piece)
    else if (this.#pieces.length > 0 || this.#bytes === piece.length) {
      this.#pieces = []
      this.#tell('tooLarge')
    }
    if (!this.push(piece)) this.#source.pause()
  }

  override _read(): void {
    this.#source.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#tell(undefined)
    dropBody(this.#source)
    callback(error)
  }
}
