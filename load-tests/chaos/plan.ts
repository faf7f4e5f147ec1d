// What a chaos run is to be, as the command line says.
// The danger it guards against: a part of the run that was left out and is taken for passed.
import { fileURLToPath } from 'node:url'
import { type Given, numberIn, oneOf, readArguments } from '../arguments.ts'

export const parts = ['matrix', 'resets', 'busy', 'dead', 'cache'] as const
export type Part = (typeof parts)[number]

export interface ChaosPlan {
  readonly parts: readonly Part[]
  readonly posts: number
  readonly rounds: number
  readonly ratePerSecond: number
  readonly seconds: number
  readonly seed: number
}

export const help = `load-test chaos [options]

  Lets the new side of a move fail in every way, and counts by request id what came to either side.

  matrix   every fault with every kind of request, breaker closed and open, with and without fallback:
           the answer, the hits at both sides and the breaker are as load-tests/chaosTable.ts says
  resets   POSTs to a side that breaks connections at random: none runs twice
  busy     a side that always says 503 is hit once by each request
  dead     a side that hangs: once the breaker is open, the median difference of p99 (fallback against the
           plain monolith) must stay within that of plain against plain, plus 2 ms; every answer whole
  cache    the Redis of a cache that two gateways share, frozen, thawed, killed and restarted: every answer whole,
           it is used again within a second of its return, and p99 is then no more than twice that of before plus
           2 ms; a purge at one gateway is heard at the other within a second

Options
  --only PART       matrix, resets, busy, dead or cache; default all five
  --posts N         of resets (default 10000)
  --rounds N        of dead, of three parts each, in another order each time (default 7)
  --rate N          of dead and cache: requests per second, arriving by the clock (default 200)
  --seconds N       of each part of a round of dead, and of each phase of cache (default 4)
  --seed N          of resets, dead and cache (default: from the clock)
  --json FILE       the report (default load-tests/out/chaos.json)

Exit codes
  0  passed
  1  failed: a cell that differs, a request that ran twice, p99 beyond the bound, an answer that was not right
  2  nothing was measured: wrong options, or something did not start
  3  inconclusive: the client did not keep up, or what was to happen did not
`

const names = ['only', 'posts', 'rounds', 'rate', 'seconds', 'seed', 'json'] as const

export interface Options {
  readonly plan: ChaosPlan
  readonly json: string
}

/** @param wallMs milliseconds since the epoch: the seed when none is given. @throws UsageError */
export function readOptions(args: readonly string[], wallMs: number): Options {
  const given: Given<(typeof names)[number]> = readArguments(args, names)
  const only = oneOf(given, 'only', parts)
  return {
    plan: {
      parts: only === undefined ? parts : [only],
      posts: numberIn(given, 'posts', { fallback: 10_000, min: 1, max: 1_000_000 }),
      rounds: numberIn(given, 'rounds', { fallback: 7, min: 1, max: 99 }),
      ratePerSecond: numberIn(given, 'rate', { fallback: 200, min: 1, max: 5_000 }),
      seconds: numberIn(given, 'seconds', { fallback: 4, min: 1, max: 600 }),
      seed: numberIn(given, 'seed', { fallback: wallMs % 1_000_000, min: 0, max: 2 ** 31 }),
    },
    json: given.json ?? fileURLToPath(new URL('../out/chaos.json', import.meta.url)),
  }
}
