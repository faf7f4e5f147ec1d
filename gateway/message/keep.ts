// A body kept aside, up to a bound, while it goes where it must go.
// The dangers it guards against: a reader that waits for whoever listens in, and a body in a million pieces of one byte, each of
// which costs a hundred to hold: what is kept is copied.
import { Readable } from 'node:stream'
import type { Body } from '../model.ts'

/** A body as it was kept: all of it, or a word why not. */
export type Kept = Buffer | 'none' | 'tooLarge'

const firstBytes = 4 * 1024

/** What a body tells whoever listens in: it comes from its beginning again. */
export const rewound = Symbol('rewound')

/** Grows with what is added to it, up to its bound. */
export class Copy {
  readonly #mostBytes: number
  #bytes = Buffer.alloc(0)
  #length = 0
  #isTooLarge = false

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  get isTooLarge(): boolean {
    return this.#isTooLarge
  }

  /** What it has so far. */
  get kept(): Buffer | 'tooLarge' {
    return this.#isTooLarge ? 'tooLarge' : this.#bytes.subarray(0, this.#length)
  }

  add(piece: Buffer): void {
    if (this.#isTooLarge) return
    const length = this.#length + piece.length
    if (length > this.#mostBytes) {
      this.forget()
      return
    }
    if (length > this.#bytes.length) this.#grow(length)
    piece.copy(this.#bytes, this.#length)
    this.#length = length
  }

  /** Begins anew. */
  clear(): void {
    this.#bytes = Buffer.alloc(0)
    this.#length = 0
  }

  /** Holds nothing from now on, whatever is added. */
  forget(): void {
    this.#isTooLarge = true
    this.clear()
  }

  #grow(length: number): void {
    const size = Math.min(this.#mostBytes, Math.max(firstBytes, length, this.#bytes.length * 2))
    // Of its own, not of the pool: it may live for seconds.
    const bytes = Buffer.allocUnsafeSlow(size)
    this.#bytes.copy(bytes, 0, 0, this.#length)
    this.#bytes = bytes
  }
}

/**
 * Listens in on a request's body once somebody else reads it: its pace, its end and its errors stay that reader's.
 * @returns undefined when it does not come to its end; never settles while nobody reads it
 */
export function keep(body: Body, mostBytes: number): Promise<Kept | undefined> {
  if (body === undefined) return Promise.resolve('none')
  if (!(body instanceof Readable)) return Promise.resolve(body.length > mostBytes ? 'tooLarge' : body)
  if (body.destroyed) return Promise.resolve(undefined)
  const { promise, resolve } = Promise.withResolvers<Kept | undefined>()
  const copy = new Copy(mostBytes)
  listenIn(body, copy, () => resolve('tooLarge'))
  body.once('end', () => resolve(copy.kept))
  body.once('close', () => resolve(undefined))
  return promise
}

/** Copies what passes to whoever reads it. @param tooLarge told when it is beyond the bound, and let go of */
export function listenIn(body: Readable, copy: Copy, tooLarge = () => {}): void {
  const take = (piece: Buffer) => {
    copy.add(piece)
    if (!copy.isTooLarge) return
    body.off('data', take)
    tooLarge()
  }
  // A listener of ours before the reader's own would set it flowing with nobody to read it.
  body.once('resume', () => body.on('data', take))
  body.on(rewound, () => copy.isTooLarge || copy.clear())
}
