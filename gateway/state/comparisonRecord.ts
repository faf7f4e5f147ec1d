// What the comparisons of one Route have come to: counts, which differences mean something, and a few examples.
// The danger it guards against: examples that are kept for ever, or that tell more of a client than an operator must know.
import type { Comparison, Difference } from '../comparing/comparison.ts'
import { createNoise, type Noise, type PathVerdict } from '../comparing/noise.ts'

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

/** Why nothing came of a leg. */
export type Skipped = 'rate' | 'full' | 'primaryBroke' | 'unanswered' | 'timedOut' | 'failed'

export interface RouteComparisons {
  readonly compared: number
  /** Without any difference that is not ignored or known for noise. */
  readonly same: number
  /** Differences on ignored paths. */
  readonly ignored: number
  readonly notCompared: Readonly<Partial<Record<Skipped | 'loginDropped', number>>>
  readonly paths: readonly PathVerdict[]
  readonly examples: readonly Example[]
}

const mostExamples = 20
const exampleAgeMs = 24 * 3_600_000
const mostExampleDifferences = 10

export class ComparisonRecord {
  readonly #noise: Noise = createNoise()
  readonly #notCompared: Partial<Record<Skipped | 'loginDropped', number>> = {}
  #examples: Example[] = []
  #compared = 0
  #same = 0
  #ignored = 0
  #known: { readonly at: number; readonly noise: ReadonlySet<string> } = { at: 0, noise: new Set() }

  skip(why: Skipped | 'loginDropped', count = 1): void {
    this.#notCompared[why] = (this.#notCompared[why] ?? 0) + count
  }

  observeOld({ differences }: Comparison): void {
    this.#noise.observeOld(differences)
  }

  /** @returns whether the two are the same as far as it matters */
  observe({ differences, ignored }: Comparison, of: Omit<Example, 'differences'>): boolean {
    this.#noise.observeCandidate(differences)
    this.#compared += 1
    this.#ignored += ignored
    const noise = this.#noiseAt(of.at)
    const real = differences.filter(({ path, kind }) => !noise.has(`${kind} ${path}`))
    if (real.length === 0) this.#same += 1
    else this.#remember({ ...of, differences: real.slice(0, mostExampleDifferences) })
    return real.length === 0
  }

  view(wallMs: number): RouteComparisons {
    this.#forget(wallMs)
    return {
      compared: this.#compared,
      same: this.#same,
      ignored: this.#ignored,
      notCompared: { ...this.#notCompared },
      paths: this.#noise.judge(),
      examples: [...this.#examples],
    }
  }

  /** Judged at most once a second: a thousand paths take a while. */
  #noiseAt(wallMs: number): ReadonlySet<string> {
    if (wallMs - this.#known.at >= 1_000) {
      const known = this.#noise.judge().filter(({ verdict }) => verdict === 'noise')
      this.#known = { at: wallMs, noise: new Set(known.map(({ path, kind }) => `${kind} ${path}`)) }
    }
    return this.#known.noise
  }

  #remember(example: Example): void {
    this.#forget(example.at)
    this.#examples.push(example)
    if (this.#examples.length > mostExamples) this.#examples.shift()
  }

  #forget(wallMs: number): void {
    this.#examples = this.#examples.filter(({ at }) => wallMs - at < exampleAgeMs)
  }
}
