// Bodies in chunks, each under a key of its own, written while they still come. A body has an id that no other one has ever had, and
// nobody finds it before its head lies there, which is written last.
// The danger it guards against: a Redis that takes bytes more slowly than upstreams give them, and a memory that fills meanwhile.
import { randomBytes } from 'node:crypto'
import type { Draft, Laid } from '../cachePort.ts'
import { StoreDown } from '../port.ts'
import { chunkBytes } from './cacheHeads.ts'
import type { Connection } from './connection.ts'

/** Of all bodies together, on their way. */
const mostWaitingBytes = 16 * 1024 * 1024
/** The head comes after the last chunk, and may come so much later than the first. */
const fillingMs = 10 * 60 * 1000

export class Bodies {
  readonly #ask: Connection['ask']
  readonly #prefix: string
  #waitingBytes = 0

  constructor({ ask }: Pick<Connection, 'ask'>, prefix: string) {
    this.#ask = ask
    this.#prefix = prefix
  }

  draft(keepMs: number): Draft {
    return new BodyDraft((key, chunk) => this.#write(key, chunk, keepMs + fillingMs))
  }

  keysOf({ id, bytes }: Laid): readonly string[] {
    return Array.from({ length: Math.ceil(bytes / chunkBytes) }, (_, nth) => `${this.#prefix}${id}:${nth}`)
  }

  async #write(key: string, chunk: Buffer, keepMs: number): Promise<void> {
    if (this.#waitingBytes + chunk.length > mostWaitingBytes) throw new StoreDown('too much waits for it', false)
    this.#waitingBytes += chunk.length
    try {
      await this.#ask((redis) => redis.set(`${this.#prefix}${key}`, chunk, 'PX', keepMs))
    } finally {
      this.#waitingBytes -= chunk.length
    }
  }
}

class BodyDraft implements Draft {
  readonly #id = randomBytes(12).toString('base64url')
  readonly #write: (key: string, chunk: Buffer) => Promise<void>
  readonly #writing: Promise<void>[] = []
  #isSpoilt = false

  constructor(write: (key: string, chunk: Buffer) => Promise<void>) {
    this.#write = write
  }

  grown(soFar: Buffer): void {
    while (!this.#isSpoilt && soFar.length >= (this.#writing.length + 1) * chunkBytes) this.#writeNext(soFar)
  }

  async finish(body: Buffer): Promise<Laid> {
    this.grown(body)
    if (!this.#isSpoilt && body.length > this.#writing.length * chunkBytes) this.#writeNext(body)
    await Promise.all(this.#writing)
    return { id: this.#id, bytes: body.length }
  }

  /** What lies there has an end, and nobody finds it. */
  drop(): void {
    this.#isSpoilt = true
  }

  #writeNext(body: Buffer): void {
    const nth = this.#writing.length
    const writing = this.#write(`${this.#id}:${nth}`, body.subarray(nth * chunkBytes, (nth + 1) * chunkBytes))
    this.#writing.push(writing)
    // It is said when it is finished, too; until then nothing more is sent in vain.
    writing.catch(() => this.drop())
  }
}
