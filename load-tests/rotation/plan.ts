// What a run of rotations is to be, as the command line says.
// The danger it guards against: a run that is over before what has ended must be refused.
import { fileURLToPath } from 'node:url'
import { type Given, numberIn, readArguments } from '../arguments.ts'

export interface RotationPlan {
  readonly ratePerSecond: number
  readonly seconds: number
  readonly seed: number
  readonly say: (line: string) => void
}

/** How long all rotations of one cycle take, with the bounds of what they end. */
export const cycleSeconds = 10

export const help = `load-test rotate-keys [options]

  Clients ask a search service and an upstream with a secret through the gateway, while all at once keys of
  clients are rotated and revoked, an issuer publishes a new key, signs with it and withdraws the old one, the
  gateway's own keys and the pepper change, and the upstream changes its secret. Whoever shows what is good is
  answered; whoever shows what has ended is refused, from the bound on that the documentation states. The service
  verifies what the gateway says of clients; some ask it directly, and are refused unless that is still good.

Options
  --rate N          requests per second, arriving by the clock (default 300); a tenth more go round the gateway
  --seconds N       how long (default 30); a cycle of all rotations for each ${cycleSeconds} of them
  --seed N          the same seed sends the same kinds of requests at the same times (default: from the clock)
  --json FILE       the report (default load-tests/out/rotate-keys.json)

Exit codes
  0  passed: 0 refused that should pass, 0 passed that should be refused after the bound
  1  failed: one of either; or a rotation did not come to its end
  2  nothing was measured: wrong options, or something did not start
  3  inconclusive: the client did not keep up, or something was not rotated, or not shown after its end
`

export interface Options {
  readonly plan: Omit<RotationPlan, 'say'>
  readonly json: string
}

const names = ['rate', 'seconds', 'seed', 'json'] as const

/** @param wallMs milliseconds since the epoch: the seed when none is given. @throws UsageError */
export function readOptions(args: readonly string[], wallMs: number): Options {
  const given: Given<(typeof names)[number]> = readArguments(args, names)
  return {
    plan: {
      ratePerSecond: numberIn(given, 'rate', { fallback: 300, min: 1, max: 5_000 }),
      seconds: numberIn(given, 'seconds', { fallback: 30, min: 8, max: 3_600 }),
      seed: numberIn(given, 'seed', { fallback: wallMs % 1_000_000, min: 0, max: 2 ** 31 }),
    },
    json: given.json ?? fileURLToPath(new URL('../out/rotate-keys.json', import.meta.url)),
  }
}
