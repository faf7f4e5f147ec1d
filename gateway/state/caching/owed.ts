// Purges that the shared store has not taken yet: they are tried again until it has, and nothing that they concern is read from it
// until then. The danger it guards against: a purge that is lost with the connection, and an answer that comes back after it.
import { everything, type Tag } from '../../caching/tags.ts'

/** Beyond them it is simpler to purge everything. */
const mostTags = 10_000

/** What is tried now, to be settled when it has been taken. */
export interface Debt {
  readonly tags: readonly Tag[]
  readonly upTo: number
}

export class Owed {
  readonly #lastByTag = new Map<Tag, number>()
  #added = 0

  get size(): number {
    return this.#lastByTag.size
  }

  add(tags: readonly Tag[]): Debt {
    this.#added += 1
    for (const tag of tags) this.#lastByTag.set(tag, this.#added)
    if (this.#lastByTag.size <= mostTags) return { tags, upTo: this.#added }
    this.#lastByTag.clear()
    return this.add([everything])
  }

  all(): Debt {
    return { tags: [...this.#lastByTag.keys()], upTo: this.#added }
  }

  /** It has been taken; what was added since to the same tags has not. */
  settle({ tags, upTo }: Debt): void {
    for (const tag of tags)
      if ((this.#lastByTag.get(tag) ?? Number.POSITIVE_INFINITY) <= upTo) this.#lastByTag.delete(tag)
  }

  concerns(tags: readonly Tag[]): boolean {
    return this.#lastByTag.size > 0 && tags.some((tag) => this.#lastByTag.has(tag))
  }
}
