// The words of comparing two sides, as types; model.ts passes them on. Imports nothing but the other words.
// The danger they guard against: a leg that is taken for the client's own request.

/** `shadow`: the candidate beside the old side. `reverse`: the old side beside the candidate. `noise`: the old side once more. */
export type LegKind = 'shadow' | 'reverse' | 'noise'

/** What is compared and how much of it. */
export interface CompareSettings {
  /** Of 10 000 clients, those whose requests are compared: whole sessions. */
  readonly sampleBasisPoints: number
  /** Of 10 000 clients, those for whom the old side is asked once more. */
  readonly noiseBasisPoints: number
  /** Of 10 000 clients, those for whom the old side is asked too in live. */
  readonly reverseBasisPoints: number
  readonly rules: {
    readonly by: 'status' | 'shape' | 'body'
    /** Of the answers, in lower case. */
    readonly fields: readonly string[]
    /** JSON paths. */
    readonly ignore: readonly string[]
    /** JSON paths of lists. */
    readonly unordered: readonly string[]
  }
  /** Legs per second, on average. */
  readonly atMostPerSecond: number
  /** The longest that a leg may take, its body included. */
  readonly timeoutMs: number
}
