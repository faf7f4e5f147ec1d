// Gathers the differences of one comparison, those of one kind at one path together.
// The danger it guards against: a body made of differences that fills the memory of whoever remembers them.
import type { Comparison, Difference, DifferenceKind } from './comparison.ts'
import type { Show } from './redact.ts'
import type { Place } from './spot.ts'

const mostDifferences = 100

export class Tally {
  readonly show: Show
  readonly #found = new Map<string, { first: Omit<Difference, 'count'>; count: number }>()
  #ignored = 0
  #more = 0

  constructor(show: Show) {
    this.show = show
  }

  /** @param values the old value and the candidate's, redacted; asked for only where they will be shown */
  record(place: Place, kind: DifferenceKind, values: () => readonly [string, string]): void {
    if (place.isIgnored) {
      this.#ignored++
      return
    }
    const { path } = place
    const key = `${kind} ${path}`
    const known = this.#found.get(key)
    if (known) known.count++
    else if (this.#found.size >= mostDifferences) this.#more++
    else {
      const [old, candidate] = values()
      this.#found.set(key, { first: { path, at: place.at(this.show), kind, old, candidate }, count: 1 })
    }
  }

  total(isBodyCompared: boolean): Comparison {
    const differences = [...this.#found.values()].map(({ first, count }) => ({ ...first, count }))
    return { same: differences.length === 0, isBodyCompared, ignored: this.#ignored, differences, more: this.#more }
  }
}
