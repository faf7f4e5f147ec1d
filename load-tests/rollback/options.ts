// What the command line of a rollback run says.
// The danger it guards against: a bound that is dropped, and a run that passes because nothing was asked of it.
import { fileURLToPath } from 'node:url'
import { numberIn, oneOf, readArguments } from '../arguments.ts'
import { candidateFaults } from '../fault.ts'
import type { CandidateFault, RollbackPlan } from './plan.ts'

export const help = `load-test rollback [options]

  Starts a site of its own in which the service "search" answers half of the visitors of its route (stage canary, the
  guard's defaults, no fallback that would hide its failures). After a third of the time the service begins to fail. The
  guard must see it and take it back:

  - within 5 s of the first failure (--fault errors at 200 requests/s or more; else before the run is over)
  - from the moment of its decision on, no failure of the service reaches a client, but for requests under way then
  - until then no visitor changes sides; from then on the old side answers all
  - every request is in the ledgers of all sides together exactly once
  - the gateway, killed (SIGKILL) and started again, still holds the rollback, and the chain of its audit is sound

Options
  --rate N       requests per second, arriving by the clock; the service takes half of them (default 200)
  --seconds N    how long (default 30)
  --seed N       the same seed sends the same requests at the same times (default: from the clock)
  --fault KIND   errors    5 % of its answers are 503 (default)
                 hang      5 % never come; clients give up after a second
                 wrong     5 % are 200 and find nothing; the route compares, for a comparison is all that can see it
                 reset     5 % end in the middle of the body
                 slow      all come 200 ms late
                 notFound  all are 404
  --json FILE    the report (default load-tests/out/rollback.json); the gateway's log goes beside it, as FILE with .log

Exit codes
  0  passed: all of the above was seen
  1  failed: one of it was not: no rollback, a late one, one without a fault; a failure that reached a client after
     it; a visitor who changed sides; a request lost, doubled or on the wrong side; a restart that forgot
  2  nothing was measured: wrong options, or the site was not well before the run
  3  inconclusive: nothing was seen to fail, but the evidence has holes (the service never failed, the guard had not
     said "pass" before it did, there was no room or time for requests on this machine, the client did not keep up,
     a ledger has forgotten lines)
`

const names = ['rate', 'seconds', 'seed', 'fault', 'json'] as const

/** Of what the service answers, once it fails. */
const faultShares: Readonly<Record<CandidateFault, number>> = {
  errors: 0.05,
  hang: 0.05,
  wrong: 0.05,
  reset: 0.05,
  slow: 1,
  notFound: 1,
}

/** What is promised where the candidate takes about 100 requests/s. */
const promised = { withinMs: 5_000, fromRatePerSecond: 200 }

export interface Options {
  readonly plan: Omit<RollbackPlan, 'say'>
  readonly json: string
}

/** @param wallMs milliseconds since the epoch: the seed when none is given. @throws UsageError */
export function readOptions(args: readonly string[], wallMs: number): Options {
  const given = readArguments(args, names)
  const json = given.json ?? fileURLToPath(new URL('../out/rollback.json', import.meta.url))
  const fault = oneOf(given, 'fault', candidateFaults) ?? 'errors'
  const ratePerSecond = numberIn(given, 'rate', { fallback: 200, min: 10, max: 10_000 })
  const isPromised = fault === 'errors' && ratePerSecond >= promised.fromRatePerSecond
  return {
    plan: {
      ratePerSecond,
      seconds: numberIn(given, 'seconds', { fallback: 30, min: 9, max: 3600 }),
      seed: numberIn(given, 'seed', { fallback: wallMs % 1_000_000, min: 0, max: 2 ** 31 }),
      fault,
      faultShare: faultShares[fault],
      withinMs: isPromised ? promised.withinMs : undefined,
      logFile: `${json.replace(/\.json$/, '')}.log`,
    },
    json,
  }
}
