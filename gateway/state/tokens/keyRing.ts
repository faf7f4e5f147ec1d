// The keys that an issuer gave last, and since when it has given none.
// The dangers it guards against: an issuer's outage that locks everybody out, and one that lasts until a withdrawn key is good again.
import type { Clock } from '../../model.ts'
import { readKeySet, type TrustedKey } from './jose.ts'

export interface KeyRing {
  /** Those that may have signed a token with that `kid` by that algorithm. */
  find(id: string | undefined, algorithm: string): readonly TrustedKey[]
  has(id: string): boolean
  /** The issuer's own words: what they do not name is withdrawn. */
  take(text: string): void
  /** What it gave before this gateway started, as long as it has given nothing since; its time goes on from then. */
  restore(text: string, atMs: number): void
  /** The issuer gave nothing. */
  fail(why: string): void
  /** Whether its keys are those that the issuer gives, or gave so short a time ago. */
  isTrusted(lastGoodMs: number): boolean
  view(): KeyRingView
  /** They are worth nothing from now on. */
  withdraw(): void
}

export interface KeyRingView {
  readonly keys: number
  /** Milliseconds since the epoch; undefined while there are none. */
  readonly givenAtMs: number | undefined
  /** Why the issuer gives none now; undefined while it does. */
  readonly trouble: string | undefined
}

/** The keys, or what is wrong with them, are others than before. */
export interface KeyChange {
  readonly added: number
  readonly withdrawn: number
  /** Keys that cannot check signatures, or are too weak to. */
  readonly unfit: number
  readonly trouble?: string
}

/** @param first the keys that are there without anybody being asked */
export function createKeyRing(
  clock: Clock,
  first: readonly TrustedKey[],
  changed: (change: KeyChange) => void,
): KeyRing {
  let keys = first
  let givenAtMs = first.length > 0 ? clock.wall() : undefined
  let trouble: { readonly sinceMs: number; readonly why: string } | undefined

  function replace(given: readonly TrustedKey[], unfit: number): void {
    const known = new Map(keys.map((key) => [key.mark, key]))
    const next = given.map((key) => known.get(key.mark) ?? key)
    const withdrawn = keys.filter((key) => !next.includes(key))
    for (const key of withdrawn) key.isWithdrawn = true
    const added = next.filter((key) => !keys.includes(key)).length
    const isNews = added > 0 || withdrawn.length > 0 || trouble !== undefined || givenAtMs === undefined
    keys = next
    givenAtMs = clock.wall()
    trouble = undefined
    if (isNews) changed({ added, withdrawn: withdrawn.length, unfit })
  }

  function fail(why: string): void {
    const isNews = trouble?.why !== why
    trouble = { sinceMs: trouble?.sinceMs ?? clock.now(), why }
    if (isNews) changed({ added: 0, withdrawn: 0, unfit: 0, trouble: why })
  }

  function restore(text: string, atMs: number): void {
    const given = readKeySet(text)
    if (givenAtMs !== undefined || typeof given === 'string') return
    keys = given.keys
    givenAtMs = atMs
    const sinceMs = clock.now() - Math.max(0, clock.wall() - atMs)
    trouble = { sinceMs, why: trouble?.why ?? 'it has not answered since the start' }
  }

  return {
    find: (id, algorithm) => keys.filter((key) => mayBe(key, id) && key.algorithms.includes(algorithm)),
    has: (id) => keys.some((key) => key.id === id),
    take(text) {
      const given = readKeySet(text)
      if (typeof given === 'string') fail(given)
      else replace(given.keys, given.unfit)
    },
    restore,
    fail,
    isTrusted: (lastGoodMs) => givenAtMs !== undefined && (!trouble || clock.now() - trouble.sinceMs < lastGoodMs),
    view: () => ({ keys: keys.length, givenAtMs, trouble: trouble?.why }),
    withdraw() {
      for (const key of keys) key.isWithdrawn = true
      keys = []
    },
  }
}

/** A set may leave its keys' names out, and so may a token. */
function mayBe(key: TrustedKey, id: string | undefined): boolean {
  return id === undefined || key.id === undefined || key.id === id
}
