// An Answer whose body is kept aside, up to a bound, while it goes to the client.
// The danger it guards against: a client that waits for whoever listens in. The copy is made as the bytes pass, at the client's pace.
import { Readable } from 'node:stream'
import type { Answer } from '../model.ts'
import { dropBody } from './answer.ts'
import { Copy, type Kept } from './keep.ts'

export interface Tapped {
  readonly answer: Answer
  /** Undefined when it never came to its end, or was not waited for. */
  readonly kept: Promise<Kept | undefined>
  /** It is not wanted any more: from now on the bytes only pass. */
  forget(): void
}

export function tap(answer: Answer, mostBytes: number): Tapped {
  const { body } = answer
  if (body === undefined) return { answer, kept: Promise.resolve('none'), forget: () => {} }
  if (!(body instanceof Readable)) {
    return { answer, kept: Promise.resolve(body.length > mostBytes ? 'tooLarge' : body), forget: () => {} }
  }
  if (isDeclaredBeyond(answer, mostBytes)) return { answer, kept: Promise.resolve('tooLarge'), forget: () => {} }
  const { promise, resolve } = Promise.withResolvers<Kept | undefined>()
  const tapped = new TappedBody(body, mostBytes, resolve)
  return { answer: { ...answer, body: tapped }, kept: promise, forget: () => tapped.forget() }
}

/** A body that says at its head that it will be too large passes untouched, or not at all. */
function isDeclaredBeyond({ fields }: Answer, mostBytes: number): boolean {
  return Number(fields.get('content-length') ?? 0) > mostBytes
}

/** More come of no server that means well: each costs the time that clients wait for. */
const mostPieces = 8 * 1024

/** Reads all of an answer that goes to nobody, and ends it; what is beyond the bounds is not waited for. */
export async function keepAnswer(answer: Answer, mostBytes: number, now: () => number): Promise<Kept | undefined> {
  const { body } = answer
  const isRead = body instanceof Readable && !isDeclaredBeyond(answer, mostBytes)
  const kept = await (isRead ? read(body, mostBytes) : tap(answer, mostBytes).kept)
  if (kept === undefined) answer.settle({ how: 'upstreamBroke', bodyBytes: 0, at: now() })
  else if (kept !== 'tooLarge')
    answer.settle({ how: 'complete', bodyBytes: kept === 'none' ? 0 : kept.length, at: now() })
  answer.discard()
  return kept
}

function read(body: Readable, mostBytes: number): Promise<Kept | undefined> {
  const { promise, resolve } = Promise.withResolvers<Kept | undefined>()
  const copy = new Copy(mostBytes)
  let pieces = 0
  const stop = (kept: Kept | undefined) => {
    body.off('data', take)
    resolve(kept)
  }
  const take = (piece: Buffer) => {
    copy.add(piece)
    pieces += 1
    if (copy.isTooLarge || pieces > mostPieces) stop('tooLarge')
  }
  body.on('error', () => {})
  body.once('end', () => stop(copy.kept))
  body.once('close', () => stop(undefined))
  if (body.destroyed) stop(undefined)
  else body.on('data', take)
  return promise
}

class TappedBody extends Readable {
  readonly #source: Readable
  readonly #copy: Copy
  readonly #tell: (kept: Kept | undefined) => void

  constructor(source: Readable, mostBytes: number, tell: (kept: Kept | undefined) => void) {
    super()
    this.#source = source
    this.#copy = new Copy(mostBytes)
    this.#tell = tell
    // As of the source itself: a break while nobody listens yet must not end the process.
    this.on('error', () => {})
    source.on('data', (piece: Buffer) => this.#take(piece))
    source.on('end', () => {
      tell(this.#copy.kept)
      this.push(null)
    })
    source.on('error', (error) => this.destroy(error))
    source.on('close', () => source.readableEnded || this.destroy())
    source.pause()
    // It broke before we listened: no event will say so again.
    if (source.destroyed) this.destroy(source.errored ?? undefined)
  }

  forget(): void {
    this.#tell(undefined)
    this.#copy.forget()
  }

  #take(piece: Buffer): void {
    this.#copy.add(piece)
    if (this.#copy.isTooLarge) this.#tell('tooLarge')
    if (!this.push(piece)) this.#source.pause()
  }

  override _read(): void {
    this.#source.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.forget()
    dropBody(this.#source)
    callback(error)
  }
}
