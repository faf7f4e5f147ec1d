// The series of one metric by their labels: one look-up per event instead of a label object and its hash.
// The danger it guards against: series of Routes and Upstreams that the file no longer has, kept for ever.

/** The values of at most four labels; the first one names the Route or Upstream that the series belongs to. */
export type Labels = readonly [owner: string, string, string, string]

interface One<S> {
  readonly labels: Labels
  readonly series: S
}

export class SeriesByLabels<S> {
  readonly #known = new Map<string, One<S>>()
  readonly #make: (labels: Labels) => S
  readonly #drop: (labels: Labels) => void

  constructor(make: (labels: Labels) => S, drop: (labels: Labels) => void) {
    this.#make = make
    this.#drop = drop
  }

  of(owner: string, second: string, third: string, fourth: string): S {
    const key = `${owner}\n${second}\n${third}\n${fourth}`
    const known = this.#known.get(key)
    if (known) return known.series
    const labels: Labels = [owner, second, third, fourth]
    const series = this.#make(labels)
    this.#known.set(key, { labels, series })
    return series
  }

  *[Symbol.iterator](): Iterator<readonly [owner: string, S]> {
    for (const { labels, series } of this.#known.values()) yield [labels[0], series]
  }

  keepOnly(owners: { has(name: string): boolean }): void {
    for (const [key, { labels }] of this.#known) {
      if (owners.has(labels[0])) continue
      this.#known.delete(key)
      this.#drop(labels)
    }
  }
}
