// What a shadow run is to be, and what the command line says of it.
// The danger it guards against: a run that is too short for its own p99, taken for evidence.
import { fileURLToPath } from 'node:url'
import { type Given, numberIn, oneOf, readArguments } from '../arguments.ts'

export const candidates = ['hang', 'flood', 'large'] as const
/** What the candidate does: answers nothing, answers without end, or answers 100 MB. */
export type Candidate = (typeof candidates)[number]

export interface ShadowPlan {
  readonly candidates: readonly Candidate[]
  readonly rounds: number
  readonly ratePerSecond: number
  /** Of each part of a round. */
  readonly seconds: number
  readonly seed: number
  readonly say: (line: string) => void
}

export const help = `load-test shadow [options]

  Sends the same requests through two gateways, of which one asks a candidate too (shadow, everybody in
  the sample, else the defaults) and the other does not, in turns: off, on, off. The median difference of p99
  (on against off) must stay within that of off against off, plus 1 ms, and memory within a bound.

Options
  --candidate WHAT  hang (no answer), flood (an answer without end) or large (100 MB); default all three
  --rounds N        of three parts each, in another order each time (default 7)
  --rate N          requests per second, arriving by the clock (default 200)
  --seconds N       of each part (default 4)
  --seed N          the same seed sends the same requests at the same times (default: from the clock)
  --json FILE       the report (default load-tests/out/shadow.json)

Exit codes
  0  passed
  1  failed: p99 or memory beyond the bound, or an answer that was not whole and right
  2  nothing was measured: wrong options, or something did not start
  3  inconclusive: the client did not keep up, or the gateway compared nothing
`

const names = ['candidate', 'rounds', 'rate', 'seconds', 'seed', 'json'] as const

export interface Options {
  readonly plan: Omit<ShadowPlan, 'say'>
  readonly json: string
}

/** @param wallMs milliseconds since the epoch: the seed when none is given. @throws UsageError */
export function readOptions(args: readonly string[], wallMs: number): Options {
  const given: Given<(typeof names)[number]> = readArguments(args, names)
  const one = oneOf(given, 'candidate', candidates)
  return {
    plan: {
      candidates: one === undefined ? candidates : [one],
      rounds: numberIn(given, 'rounds', { fallback: 7, min: 1, max: 99 }),
      ratePerSecond: numberIn(given, 'rate', { fallback: 200, min: 1, max: 5_000 }),
      seconds: numberIn(given, 'seconds', { fallback: 4, min: 1, max: 600 }),
      seed: numberIn(given, 'seed', { fallback: wallMs % 1_000_000, min: 0, max: 2 ** 31 }),
    },
    json: given.json ?? fileURLToPath(new URL('../out/shadow.json', import.meta.url)),
  }
}
