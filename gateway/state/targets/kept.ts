// Something kept for each target of each Upstream, under the names that the file has for them.
// The danger it guards against: what is known of a target that is forgotten with an edit elsewhere in the file, or kept for ever.
import type { Target, Upstream } from '../../model.ts'

export class Kept<T, U extends Pick<Upstream, 'name' | 'targets'>> {
  #byUpstream: ReadonlyMap<string, ReadonlyMap<string, T>> = new Map()

  /** Undefined when there is no such target now. */
  find(target: Target, { name }: Pick<Upstream, 'name'>): T | undefined {
    return this.#byUpstream.get(name)?.get(keyOf(target))
  }

  /** For all the targets of these Upstreams; `make` is asked for what there is not yet. @returns what was kept for others */
  keepOnly(upstreams: readonly U[], make: (target: Target, upstream: U) => T): T[] {
    const before = this.#byUpstream
    this.#byUpstream = new Map(
      upstreams.map((upstream) => {
        const known = before.get(upstream.name)
        const pairs = upstream.targets.map((target) => {
          const key = keyOf(target)
          return [key, known?.get(key) ?? make(target, upstream)] as const
        })
        return [upstream.name, new Map(pairs)] as const
      }),
    )
    return [...before].flatMap(([name, known]) => {
      const now = this.#byUpstream.get(name)
      return [...known].flatMap(([key, gone]) => (now?.has(key) ? [] : [gone]))
    })
  }

  /** Keeps nothing any more. @returns what was kept */
  clear(): T[] {
    const all = [...this.#byUpstream.values()].flatMap((known) => [...known.values()])
    this.#byUpstream = new Map()
    return all
  }
}

/** Secured otherwise it is another. */
function keyOf({ origin, verify }: Target): string {
  return verify ? origin : `${origin} unverified`
}
