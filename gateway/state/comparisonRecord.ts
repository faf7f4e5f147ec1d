// What the comparisons of one Route have come to: counts, which differences mean something, and a few examples.
// The danger it guards against: examples that are kept for ever, or that tell more of a client than an operator must know.
import type { Comparison, Difference } from '../comparing/comparison.ts'
import { createNoise, type Noise, type PathVerdict } from '../comparing/noise.ts'
import type { Leg } from '../model/ports.ts'

/** A difference as it was seen once. Values are redacted. */
export interface Example {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly requestId: string
  readonly method: string
  /** Without its query. */
  readonly path: string
  readonly differences: readonly Difference[]
}

/**
 * Why nothing came of a leg. `rate`, `full`: no room. `primaryBroke`, `primaryLate`: the client's own answer did not come to its end,
 * or not in time. `requestBroke`, `requestTooLarge`, `unproven`: a write whose body could not be kept, or that the candidate has
 * not said to be safe. `refused`: the other side is left alone, by its
 * breaker. `unanswered`, `timedOut`: it gave no whole answer. `failed`: the comparison itself.
 */
export type Skipped =
  | 'rate'
  | 'full'
  | 'primaryBroke'
  | 'primaryLate'
  | 'requestBroke'
  | 'requestTooLarge'
  | 'unproven'
  | 'refused'
  | 'unanswered'
  | 'timedOut'
  | 'failed'

/** Session cookies of the candidate that were dropped, from answers that went to nobody or to clients. */
export interface DroppedLogins {
  readonly legs: number
  readonly answers: number
}

export interface RouteComparisons {
  /** Milliseconds since the epoch: what counts it all is that old. */
  readonly since: number
  readonly compared: number
  /** Without any difference that is not ignored or known for noise. */
  readonly same: number
  /** Differences on ignored paths. */
  readonly ignored: number
  readonly notCompared: Readonly<Partial<Record<Skipped, number>>>
  readonly loginsDropped: DroppedLogins
  readonly paths: readonly PathVerdict[]
  readonly examples: readonly Example[]
}

const mostExamples = 20
const exampleAgeMs = 24 * 3_600_000
const mostExampleDifferences = 10

export class ComparisonRecord {
  readonly #wall: () => number
  readonly #since: number
  readonly #noise: Noise = createNoise()
  readonly #notCompared: Partial<Record<Skipped, number>> = {}
  readonly #loginsDropped = { legs: 0, answers: 0 }
  #examples: Example[] = []
  #compared = 0
  #same = 0
  #ignored = 0
  #known: { readonly at: number; readonly noise: ReadonlySet<string> } = { at: 0, noise: new Set() }

  /** @param wall milliseconds since the epoch */
  constructor(wall: () => number) {
    this.#wall = wall
    this.#since = wall()
  }

  skip(why: Skipped): void {
    this.#notCompared[why] = (this.#notCompared[why] ?? 0) + 1
  }

  dropLogin(from: keyof DroppedLogins, cookies: number): void {
    this.#loginsDropped[from] += cookies
  }

  observeOld({ differences }: Comparison): void {
    this.#noise.observeOld(differences)
  }

  /** @returns whether the two are the same as far as it matters */
  observe({ differences, ignored, more }: Comparison, of: Omit<Example, 'at' | 'differences'>): boolean {
    const at = this.#wall()
    this.#noise.observeCandidate(differences)
    this.#compared += 1
    this.#ignored += ignored
    const noise = this.#noiseAt(at)
    const real = differences.filter(({ path, kind }) => !noise.has(`${kind} ${path}`))
    // What is not listed may be anything.
    const isSame = real.length === 0 && more === 0
    if (isSame) this.#same += 1
    else this.#remember({ at, ...of, differences: real.slice(0, mostExampleDifferences) })
    return isSame
  }

  view(): RouteComparisons {
    this.#forget()
    return {
      since: this.#since,
      compared: this.#compared,
      same: this.#same,
      ignored: this.#ignored,
      notCompared: { ...this.#notCompared },
      loginsDropped: { ...this.#loginsDropped },
      paths: this.#noise.judge(),
      examples: [...this.#examples],
    }
  }

  /** Judged at most once a second: a thousand paths take a while. */
  #noiseAt(wallMs: number): ReadonlySet<string> {
    if (Math.abs(wallMs - this.#known.at) >= 1_000) {
      const known = this.#noise.judge().filter(({ verdict }) => verdict === 'noise')
      this.#known = { at: wallMs, noise: new Set(known.map(({ path, kind }) => `${kind} ${path}`)) }
    }
    return this.#known.noise
  }

  #remember(example: Example): void {
    this.#forget()
    this.#examples.push(example)
    if (this.#examples.length > mostExamples) this.#examples.shift()
  }

  #forget(): void {
    const nowMs = this.#wall()
    this.#examples = this.#examples.filter(({ at }) => nowMs - at < exampleAgeMs)
  }
}

/** By Route. What was counted by other rules or of another candidate is begun anew. */
export function createRecords(wall: () => number) {
  const records = new Map<string, { about: string | undefined; record: ComparisonRecord }>()

  function entryOf(route: string) {
    const entry = records.get(route) ?? { about: undefined, record: new ComparisonRecord(wall) }
    records.set(route, entry)
    return entry
  }

  return {
    known: (route: string) => records.get(route)?.record,
    named: (route: string) => entryOf(route).record,
    of({ exchange: { route }, settings }: Leg): ComparisonRecord {
      const about = JSON.stringify([route.move?.from.name, route.move?.to.name, settings.rules])
      const entry = entryOf(route.name)
      if (entry.about !== undefined && entry.about !== about) entry.record = new ComparisonRecord(wall)
      entry.about = about
      return entry.record
    },
  }
}
