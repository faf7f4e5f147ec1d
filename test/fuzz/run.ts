// Runs the fuzz and says what came of it.
// The danger it guards against: a find that cannot be found again: the seed and the smallest failing case are in the message.
import fc, { type Arbitrary } from 'fast-check'
import { compare } from './compare.ts'
import { answers, requests } from './generate.ts'
import { type Case, pasteable } from './reading.ts'

export interface Tally {
  /** Cases of which ours took at least one message. */
  accepted: number
  cases: number
}

const kinds: Readonly<Record<Case['kind'], Arbitrary<Case>>> = { request: requests, answer: answers }

/** Rejects with the smallest case that the two read differently. */
export async function fuzz(kind: Case['kind'], numRuns: number, seed: number): Promise<Tally> {
  const tally: Tally = { accepted: 0, cases: 0 }
  const property = fc.asyncProperty(kinds[kind], async (one) => {
    const taken = await compare(one)
    tally.cases += 1
    if (taken > 0) tally.accepted += 1
  })
  const { failed, counterexample, errorInstance } = await fc.check(property, { numRuns, seed })
  if (!failed) return tally
  const [one] = counterexample ?? []
  throw new Error(`seed ${seed}: ${one ? pasteable(one) : '?'}\n${String(errorInstance)}`)
}
