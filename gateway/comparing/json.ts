// Two JSON bodies, compared path by path.
// The danger it guards against: differences that mean nothing (1.0 for 1, 0.30000000000000004 for 0.3, members or elements in another
// order) among which nobody sees the one that does; and a tolerance so wide that a wrong id passes for rounding.
import { Canon } from './canon.ts'
import type { CompareRules } from './comparison.ts'
import { type Json, JsonObject, typeOf } from './jsonValue.ts'
import { type List, type Pairing, pairEqual, pairUp, withRest } from './pairing.ts'
import { Spot } from './spot.ts'
import type { Tally } from './tally.ts'

export function compareJson(old: Json, candidate: Json, rules: CompareRules, tally: Tally): void {
  const root = Spot.root(rules.ignore, rules.unordered)
  new Walk(rules.by === 'shape', tally).visit(old, candidate, root)
}

/** Doubles that one sum in another order can lead to. Whole numbers are ids and counts: those are equal or not. */
const roundingShare = 1e-9

/** Equal, as far as the same calculation in another language or order would be. */
export function isSameNumber(old: number | bigint, candidate: number | bigint): boolean {
  if (old === candidate) return true
  if (isWhole(old) && isWhole(candidate)) return false
  const [a, b] = [Number(old), Number(candidate)]
  return Math.abs(a - b) <= roundingShare * Math.max(Math.abs(a), Math.abs(b))
}

const isWhole = (value: number | bigint) => typeof value === 'bigint' || Number.isSafeInteger(value)
const isNumber = (value: Json) => typeof value === 'number' || typeof value === 'bigint'

/** Recursive: a body that is nested too deep for it is not read as JSON (jsonValue.ts). */
class Walk {
  readonly #isShape: boolean
  readonly #tally: Tally
  readonly #canon: Canon

  constructor(isShape: boolean, tally: Tally) {
    this.#isShape = isShape
    this.#tally = tally
    this.#canon = new Canon(isShape)
  }

  visit(old: Json, candidate: Json, spot: Spot): void {
    if (typeOf(old) !== typeOf(candidate)) this.#record(spot, 'type', [old, candidate])
    else if (old instanceof JsonObject && candidate instanceof JsonObject) this.#visitObjects(old, candidate, spot)
    else if (Array.isArray(old) && Array.isArray(candidate)) this.#visitArrays(old, candidate, spot)
    else if (!this.#isShape && !isSameScalar(old, candidate)) this.#record(spot, 'value', [old, candidate])
  }

  #visitObjects(old: JsonObject, candidate: JsonObject, spot: Spot): void {
    for (const [key, value] of old.members) {
      const other = candidate.members.get(key)
      const below = spot.down(key)
      if (other === undefined) this.#record(below, 'missing', [value, undefined])
      else this.visit(value, other, below)
      // A key that is written twice is read differently by different clients.
      if (old.repeated.has(key) && !candidate.repeated.has(key)) this.#record(below, 'missing', [value, undefined])
    }
    for (const [key, value] of candidate.members) {
      const isNew = !old.members.has(key) || (candidate.repeated.has(key) && !old.repeated.has(key))
      if (isNew) this.#record(spot.down(key), 'extra', [undefined, value])
    }
  }

  #visitArrays(old: readonly Json[], candidate: readonly Json[], spot: Spot): void {
    const ours: List = { elements: old, numbers: this.#canon.numbersOf(old, spot) }
    const theirs: List = { elements: candidate, numbers: this.#canon.numbersOf(candidate, spot) }
    if (this.#isLengthDifferent(old.length, candidate.length)) this.#record(spot, 'length', [old, candidate])
    const { pairs, isReordered } = this.#isShape ? pairShapes(ours, theirs) : pairUp(ours, theirs, spot)
    if (isReordered) this.#record(spot, 'order', [old, candidate])
    for (const [i, j] of pairs) {
      const below = spot.down(i)
      const isEqual = ours.numbers[i] === theirs.numbers[j]
      // Within equal elements there is only what is ignored, which still counts.
      if (!isEqual || !below.isWholeCompared) this.visit(old[i] as Json, candidate[j] as Json, below)
    }
  }

  /** To a shape only an empty list is another one: it shows nothing of its elements. */
  #isLengthDifferent(old: number, candidate: number): boolean {
    return this.#isShape ? (old === 0) !== (candidate === 0) : old !== candidate
  }

  #record(spot: Spot, kind: Parameters<Tally['record']>[1], [old, candidate]: readonly (Json | undefined)[]): void {
    this.#tally.record(spot, kind, () => [this.#tally.show(old), this.#tally.show(candidate)])
  }
}

function isSameScalar(old: Json, candidate: Json): boolean {
  return isNumber(old) && isNumber(candidate)
    ? isSameNumber(old as number | bigint, candidate as number | bigint)
    : old === candidate
}

/** Lists of the same kinds of elements have one shape, however many of each there are. */
function pairShapes(old: List, candidate: List): Pairing {
  const equal = pairEqual(old.numbers, candidate.numbers)
  const [ours, theirs] = [new Set(old.numbers), new Set(candidate.numbers)]
  const isSame = old.numbers.every((kind) => theirs.has(kind)) && candidate.numbers.every((kind) => ours.has(kind))
  return { pairs: isSame ? equal : withRest(equal, old, candidate), isReordered: false }
}
