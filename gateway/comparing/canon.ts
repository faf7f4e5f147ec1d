// Gives equal JSON values the same number, ignored parts left out: the members' order, and the way a number is written, do not matter.
// The danger it guards against: lists that are compared by trial, element with element, which takes for ever on nested ones. Each
// value is looked at once, and no two different ones share a number (they are counted, not hashed).
import { type Json, JsonObject, typeOf } from './jsonValue.ts'
import type { Spot } from './spot.ts'

/** One per comparison, for both bodies. */
export class Canon {
  readonly #isShape: boolean
  readonly #numbers = new Map<string, number>()
  readonly #known = new Map<Json, number>()

  /** @param isShape values of one type are equal, and so are lists of the same kinds of elements */
  constructor(isShape: boolean) {
    this.#isShape = isShape
  }

  /** @param spot where the value is in its body */
  numberOf(value: Json, spot: Spot): number {
    if (typeof value !== 'object' || value === null) return this.#numberOf(this.#scalar(value))
    const known = this.#known.get(value)
    if (known !== undefined) return known
    const number = this.#numberOf(value instanceof JsonObject ? this.#object(value, spot) : this.#array(value, spot))
    this.#known.set(value, number)
    return number
  }

  numbersOf(elements: readonly Json[], spot: Spot): readonly number[] {
    return elements.map((element, i) => this.numberOf(element, spot.down(i)))
  }

  #numberOf(form: string): number {
    const known = this.#numbers.get(form)
    if (known !== undefined) return known
    const number = this.#numbers.size
    this.#numbers.set(form, number)
    return number
  }

  #scalar(value: null | boolean | string | number | bigint): string {
    if (this.#isShape) return typeOf(value)
    if (typeof value === 'string') return `"${value}`
    return typeof value === 'number' && !Number.isSafeInteger(value) ? `${Number(value.toPrecision(12))}` : `${value}`
  }

  #object({ members, repeated }: JsonObject, spot: Spot): string {
    const forms: string[] = []
    for (const [key, value] of members) {
      const below = spot.down(key)
      if (below.isIgnored) continue
      forms.push(`${JSON.stringify(key)}${repeated.has(key) ? '!' : ':'}${this.numberOf(value, below)}`)
    }
    return `{${forms.sort().join()}`
  }

  #array(elements: readonly Json[], spot: Spot): string {
    const below = elements.map((_, i) => spot.down(i))
    const numbers = elements.flatMap((element, i) => {
      const at = below[i]
      return at === undefined || at.isIgnored ? [] : [this.numberOf(element, at)]
    })
    if (this.#isShape) return `[${[...new Set(numbers)].sort((a, b) => a - b).join()}`
    return `[${(spot.isUnordered ? numbers.sort((a, b) => a - b) : numbers).join()}`
  }
}
