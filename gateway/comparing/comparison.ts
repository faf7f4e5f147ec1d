// What is compared, by which rules, and what comes of it.
// The danger it guards against: a value of a client's answer that leaves the comparison: all that a Comparison says of values is
// already redacted (redact.ts).

/** One of the two answers. */
export interface Compared {
  readonly status: number
  /** name, value, name, value … as received; bytes as latin1. */
  readonly fields: readonly string[]
  /** The body as received, still in its content coding; `tooLarge`: nobody kept it. */
  readonly body: Uint8Array | 'tooLarge' | 'none'
}

export interface CompareRules {
  /** `shape`: types and presence only. */
  readonly by: 'status' | 'shape' | 'body'
  /** Names of the fields that are compared, in lower case. */
  readonly fields: readonly string[]
  /** JSON paths (jsonPath.ts) whose differences, and those below them, are counted but not reported. */
  readonly ignore: readonly string[]
  /** JSON paths of arrays whose order does not matter. */
  readonly unordered: readonly string[]
}

/** `order`: the same elements in another order. `length`: lists of different lengths. */
export type DifferenceKind = 'missing' | 'extra' | 'type' | 'value' | 'length' | 'order'

/** All differences of one kind at one generalised path, with the first of them as the example. */
export interface Difference {
  /** `$.items[*].price`, or `status`, `field:content-type`, `body`. At most 200 characters. */
  readonly path: string
  /** Where exactly the first one is: `$.items[3].price`, `body:12` (a line of the old body). */
  readonly at: string
  readonly kind: DifferenceKind
  /** The two values, redacted. */
  readonly old: string
  readonly candidate: string
  readonly count: number
}

export interface Comparison {
  /** No difference beside ignored ones. Says nothing of bodies unless `isBodyCompared`. */
  readonly same: boolean
  /** False when the rules ask for no body, the status class differs, or both bodies are too large. */
  readonly isBodyCompared: boolean
  /** Differences on ignored paths. */
  readonly ignored: number
  /** At most 100. */
  readonly differences: readonly Difference[]
  /** Differences at further paths, which are not listed. */
  readonly more: number
}
