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
/** Without a head it has this long; with one, as long as that. */
const fillingMs = 10 * 60 * 1000

export class Bodies {
  readonly #ask: Connection['ask']
  readonly #prefix: string
  #waitingBytes = 0

  constructor({ ask }: Pick<Connection, 'ask'>, prefix: string) {
    this.#ask = ask
    this.#prefix = prefix
  }

  draft(): Draft {
    return new BodyDraft({
      write: (key, chunk) => this.#write(this.#prefix + key, chunk),
      forget: (keys) => this.#forget(keys.map((key) => this.#prefix + key)),
    })
  }

  keysOf({ id, bytes }: Laid): readonly string[] {
    return Array.from({ length: Math.ceil(bytes / chunkBytes) }, (_, nth) => `${this.#prefix}${id}:${nth}`)
  }

  async #write(key: string, chunk: Buffer): Promise<void> {
    if (this.#waitingBytes + chunk.length > mostWaitingBytes) throw new StoreDown('too much waits for it', false)
    this.#waitingBytes += chunk.length
    try {
      await this.#ask((redis) => redis.set(key, chunk, 'PX', fillingMs))
    } finally {
      this.#waitingBytes -= chunk.length
    }
  }

  async #forget(keys: readonly string[]): Promise<void> {
    // What stays there has an end.
    await this.#ask((redis) => redis.unlink(...keys)).catch(() => {})
  }
}

interface Chunks {
  write(key: string, chunk: Buffer): Promise<void>
  /** Never rejects. */
  forget(keys: readonly string[]): Promise<void>
}

class BodyDraft implements Draft {
  readonly #id = randomBytes(12).toString('base64url')
  readonly #chunks: Chunks
  readonly #writing: Promise<void>[] = []
  #isSpoilt = false

  constructor(chunks: Chunks) {
    this.#chunks = chunks
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

  /** Nobody finds what lies there; but it takes room. */
  drop(): void {
    if (this.#isSpoilt) return
    this.#isSpoilt = true
    const keys = this.#writing.map((_, nth) => this.#keyOf(nth))
    if (keys.length > 0) void Promise.allSettled(this.#writing).then(() => this.#chunks.forget(keys))
  }

  #keyOf(nth: number): string {
    return `${this.#id}:${nth}`
  }

  #writeNext(body: Buffer): void {
    const nth = this.#writing.length
    const writing = this.#chunks.write(this.#keyOf(nth), body.subarray(nth * chunkBytes, (nth + 1) * chunkBytes))
    this.#writing.push(writing)
    // It is said when it is finished, too; until then nothing more is sent in vain.
    writing.catch(() => this.drop())
  }
}
