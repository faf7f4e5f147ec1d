// How many requests may be under way at a target that takes them all on one connection, and who waits for that.
// The danger it guards against: a stuck upstream whose requests are bounded by nothing, because it needs no more connections.
import { Failure } from '../errors.ts'
import type { Exchange } from '../model.ts'
import { connectionsAtOne, pendingAtOne } from './limits.ts'
import { Queue } from './queue.ts'

interface Turn {
  resolve(): void
  reject(failure: Failure): void
}

export class Room {
  readonly #shareOf: (ofFleet: number) => number
  readonly #inside = new Set<object>()
  readonly #waiting = new Queue<object>()
  readonly #turns = new Map<object, Turn>()
  /** The most that the whole fleet may have under way. */
  #ofFleet = 0

  constructor(shareOf: (ofFleet: number) => number) {
    this.#shareOf = shareOf
  }

  get size(): number {
    return this.#inside.size
  }

  get waiting(): number {
    return this.#waiting.size
  }

  isWaiting(guest: object): boolean {
    return this.#waiting.has(guest)
  }

  /** Resolves once there is room for it; never, if it leaves before. Rejects when too many wait. */
  async enter(guest: object, { upstream, yields = false }: Pick<Exchange, 'upstream' | 'yields'>): Promise<void> {
    this.#ofFleet = connectionsAtOne(upstream)
    if (this.#hasRoom()) {
      this.#inside.add(guest)
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#turns.set(guest, { resolve, reject })
    const dropped = this.#waiting.add(guest, yields, pendingAtOne(upstream))
    if (dropped) this.#refuse(dropped, `${upstream.name}: too many requests wait`)
    await promise
  }

  /** It has ended, or does not want to enter any more. */
  leave(guest: object): void {
    this.#inside.delete(guest)
    this.#waiting.delete(guest)
    this.#turns.delete(guest)
    this.serve()
  }

  /** Lets in whoever there is room for. */
  serve(): void {
    while (this.#waiting.size > 0 && this.#hasRoom()) {
      const guest = this.#waiting.next()
      if (!guest) return
      this.#inside.add(guest)
      this.#turns.get(guest)?.resolve()
      this.#turns.delete(guest)
    }
  }

  /** Nobody waits for ever. */
  close(): void {
    for (const guest of this.#waiting.takeAll()) this.#refuse(guest, 'its connections are being cut')
  }

  #hasRoom(): boolean {
    return this.#inside.size < this.#shareOf(this.#ofFleet)
  }

  #refuse(guest: object, why: string): void {
    this.#turns.get(guest)?.reject(new Failure('upstreamBusy', why))
    this.#turns.delete(guest)
  }
}
