// What the command line of a cutover says.
// The danger it guards against: a fault that is planted where the site is not ours.
import { fileURLToPath } from 'node:url'
import { type Given, numberIn, oneOf, readArguments, UsageError } from './arguments.ts'
import { cutoverFaults } from './fault.ts'
import type { CutoverPlan } from './plan.ts'

export const help = `load-test cutover [options]

  Moves the route "search" to its service and back while requests come in, and proves from the ledgers
  of all sides that none was lost, doubled or answered by the wrong one.

Options
  --rate N          requests per second, arriving by the clock (default 300)
  --seconds N       how long; the moves are after a third and after two thirds (default 30)
  --seed N          the same seed sends the same requests at the same times (default: from the clock)
  --fault KIND      spoils every 25th request on its way to the monolith, and must therefore fail:
                    drop (answer swallowed), truncate (answer cut), double (delivered twice)
  --json FILE       the report (default load-tests/out/cutover.json); the log of a gateway that is started
                    here goes beside it, as FILE with .log
  --gateway URL --admin URL --config FILE
                    a site that is running already: its public door, its admin listener and its
                    routes.yaml, which is put back at the end. Without these everything is started here

Exit codes
  0  passed: every request answered as it must be, and found once, on the right side, in the ledgers
  1  failed: something was lost, doubled, answered by the wrong side or wrongly; or the route did not move
  2  nothing was measured: wrong options, or the site was not well before the run
  3  inconclusive: nothing was seen to fail, but the evidence has holes (the client did not keep up, a
     ledger has forgotten lines, or there was no request of the moved route in some part of the run)
`

export interface Options {
  readonly plan: Omit<CutoverPlan, 'say'>
  readonly json: string
}

const names = ['rate', 'seconds', 'seed', 'fault', 'json', 'gateway', 'admin', 'config'] as const

/** @param wallMs milliseconds since the epoch: the seed when none is given. @throws UsageError */
export function readOptions(args: readonly string[], wallMs: number): Options {
  const given = readArguments(args, names)
  const json = given.json ?? fileURLToPath(new URL('out/cutover.json', import.meta.url))
  const seconds = numberIn(given, 'seconds', { fallback: 30, min: 3, max: 3600 })
  const fault = oneOf(given, 'fault', cutoverFaults)
  const site = siteIn(given)
  if (fault && site) throw new UsageError('--fault needs the site that is started here, not a given one')
  return {
    plan: {
      ratePerSecond: numberIn(given, 'rate', { fallback: 300, min: 1, max: 10_000 }),
      seconds,
      seed: numberIn(given, 'seed', { fallback: wallMs % 1_000_000, min: 0, max: 2 ** 31 }),
      fault,
      given: site,
      logFile: `${json.replace(/\.json$/, '')}.log`,
      throughputSeconds: Math.min(3, Math.max(1, Math.floor(seconds / 10))),
    },
    json,
  }
}

function siteIn({ gateway, admin, config }: Given<(typeof names)[number]>): CutoverPlan['given'] {
  if (gateway === undefined && admin === undefined && config === undefined) return undefined
  if (gateway === undefined || admin === undefined || config === undefined) {
    throw new UsageError('--gateway, --admin and --config belong together')
  }
  return { gateway: originIn('gateway', gateway), admin: originIn('admin', admin), configFile: config }
}

function originIn(name: string, written: string): string {
  const url = URL.parse(written)
  if (url?.protocol !== 'http:') throw new UsageError(`--${name} must be an http URL`)
  return url.origin
}
