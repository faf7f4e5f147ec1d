// Which element of one list is to be compared with which of the other.
// The danger it guards against: a list in another order, or with one element less, that is reported as a hundred changed values and
// so hides the one value that did change.
import { type Json, JsonObject } from './jsonValue.ts'
import type { Spot } from './spot.ts'

export interface List {
  readonly elements: readonly Json[]
  /** Equal elements have equal numbers (canon.ts). */
  readonly numbers: readonly number[]
}

/** An index in the old list, and one in the candidate's. */
export type Pair = readonly [old: number, candidate: number]

export interface Pairing {
  readonly pairs: readonly Pair[]
  /** Whether elements that both lists have stand in another order, where that matters. */
  readonly isReordered: boolean
}

const mostKeysTried = 16

/** Equal elements first; where those do not settle it, elements that share an identity; else place by place. */
export function pairUp(old: List, candidate: List, spot: Spot): Pairing {
  const equal = pairEqual(old.numbers, candidate.numbers)
  const isSettled = equal.length === Math.min(old.numbers.length, candidate.numbers.length)
  const alike = isSettled ? equal : pairByIdentity(old.elements, candidate.elements, spot)
  const isByPlace = old.numbers.length === candidate.numbers.length && !spot.isUnordered
  const known = alike ?? (isByPlace ? [] : equal)
  return { pairs: withRest(known, old, candidate), isReordered: !spot.isUnordered && isOutOfOrder(known) }
}

/** The first of equal elements with the first, the second with the second. */
export function pairEqual<T>(old: readonly T[], candidate: readonly T[]): readonly Pair[] {
  const waiting = new Map<T, number[]>()
  for (let i = candidate.length - 1; i >= 0; i--) {
    const places = waiting.get(candidate[i] as T)
    if (places) places.push(i)
    else waiting.set(candidate[i] as T, [i])
  }
  return old.flatMap((value, i): Pair[] => {
    const place = waiting.get(value)?.pop()
    return place === undefined ? [] : [[i, place]]
  })
}

/** What is left over on both sides, in order. */
export function withRest(pairs: readonly Pair[], old: List, candidate: List): readonly Pair[] {
  if (pairs.length === Math.min(old.numbers.length, candidate.numbers.length)) return pairs
  const usedOld = new Set(pairs.map(([i]) => i))
  const usedCandidate = new Set(pairs.map(([, i]) => i))
  const restOld = [...old.numbers.keys()].filter((i) => !usedOld.has(i))
  const restCandidate = [...candidate.numbers.keys()].filter((i) => !usedCandidate.has(i))
  const rest = restOld.slice(0, restCandidate.length).map((i, n): Pair => [i, restCandidate[n] as number])
  return [...pairs, ...rest]
}

/** Whether elements that both lists have stand in another order. @param pairs in the order of the old list */
function isOutOfOrder(pairs: readonly Pair[]): boolean {
  return pairs.some(([, place], n) => n > 0 && place < (pairs[n - 1] as Pair)[1])
}

/** By the member that tells the elements of each list apart and that the two lists have most in common, at least half. */
function pairByIdentity(old: readonly Json[], candidate: readonly Json[], spot: Spot): readonly Pair[] | undefined {
  const first = old[0]
  if (!(first instanceof JsonObject)) return undefined
  let best: readonly Pair[] = []
  for (const key of [...first.members.keys()].slice(0, mostKeysTried)) {
    if (spot.down(0).down(key).isIgnored) continue
    const [ours, theirs] = [distinctValues(old, key), distinctValues(candidate, key)]
    const pairs = ours && theirs ? pairEqual(ours, theirs) : []
    if (pairs.length > best.length) best = pairs
  }
  return best.length * 2 >= Math.min(old.length, candidate.length) && best.length > 0 ? best : undefined
}

/** The strings or numbers under that key; undefined unless each element has another one. */
function distinctValues(elements: readonly Json[], key: string): readonly Json[] | undefined {
  const values = new Set<Json>()
  for (const element of elements) {
    const value = element instanceof JsonObject ? element.members.get(key) : undefined
    const canIdentify = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    if (!canIdentify || values.has(value)) return undefined
    values.add(value)
  }
  return [...values]
}
