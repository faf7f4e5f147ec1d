// The series of one metric by their labels: four look-ups of known strings per event instead of a label object and its hash.
// The danger it guards against: series of Routes and Upstreams that the file no longer has, kept for ever.

/** The values of at most four labels; the first one names the Route or Upstream that the series belongs to. */
export type Labels = readonly [owner: string, string, string, string]

type Leaves<S> = Map<string, S>
type Tree<S> = Map<string, Map<string, Map<string, Leaves<S>>>>

export class SeriesByLabels<S> {
  readonly #tree: Tree<S> = new Map()
  readonly #make: () => S

  constructor(make: () => S) {
    this.#make = make
  }

  of(owner: string, second: string, third: string, fourth: string): S {
    // A key made of the four would have to be hashed each time; each of them has its hash already.
    const leaves = branch(branch(branch(this.#tree, owner), second), third)
    const known = leaves.get(fourth)
    if (known !== undefined) return known
    const made = this.#make()
    leaves.set(fourth, made)
    return made
  }

  *[Symbol.iterator](): Iterator<readonly [Labels, S]> {
    for (const [owner, seconds] of this.#tree) {
      for (const [second, thirds] of seconds) {
        for (const [third, leaves] of thirds) {
          for (const [fourth, series] of leaves) yield [[owner, second, third, fourth], series]
        }
      }
    }
  }

  keepOnly(owners: { has(name: string): boolean }): void {
    for (const owner of this.#tree.keys()) if (!owners.has(owner)) this.#tree.delete(owner)
  }
}

function branch<B>(parent: Map<string, Map<string, B>>, key: string): Map<string, B> {
  const known = parent.get(key)
  if (known) return known
  const made = new Map<string, B>()
  parent.set(key, made)
  return made
}
