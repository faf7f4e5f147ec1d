// What the command line of the bench says.
// The danger it guards against: a mistyped name that is passed over, and a comparison without the one that it was for.
import { parseArgs } from 'node:util'
import { contestants } from './contestants.ts'
import { type Scenario, scenarios } from './scenarios.ts'

export const help = `bench proxy [options]

  Starts each proxy on one core, before the same origin and under the same load, and prints requests/s, latency, CPU per
  request of its whole process tree, memory, and how its CPU compares. nginx, HAProxy and Caddy are Debian's; what is
  missing of them, and wrk, is installed when this runs as root. All scenarios take about 40 minutes.

Options
  --scenario LIST   of ${scenarios.map(({ name }) => name).join(', ')} (default: all)
  --proxies LIST    of ${contestants.map(({ name }) => name).join(', ')} (default: all)
  --rounds N        how often each is measured, in turn (default 3)
  --seconds N       how long each time, after a warm-up of two seconds at most (default 5)
  --connections N   instead of the scenario's own: connections that ask (64; 16 in stream1m), or in the idle ones
                    those that are idle
  --json FILE       every measurement: an array of { proxy, scenario, round, requestsPerSecond, p50Ms, p99Ms,
                    cpuMicrosPerRequest, rssBytes }, with rssBytesPerConnection where connections are idle, and with
                    failure, and null for figures, where answers were wrong

Exit codes
  0  all were measured    1  somebody's answers failed    2  nothing was measured: wrong options
`

export class UsageError extends Error {}

export interface Options {
  readonly scenarios: readonly Scenario[]
  readonly proxies: readonly string[]
  readonly rounds: number
  readonly seconds: number
  readonly json: string | undefined
}

const text = { type: 'string' } as const
const known = { scenario: text, proxies: text, rounds: text, seconds: text, connections: text, json: text }
type Given = Partial<Record<keyof typeof known, string>>

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  const given = parse(args)
  const connections = given.connections === undefined ? undefined : numberIn(given, 'connections', 1)
  const names = scenarios.map(({ name }) => name)
  const chosen = namesIn(given, 'scenario', names)
  return {
    scenarios: scenarios
      .filter(({ name }) => chosen.includes(name))
      .map((scenario) => (connections === undefined ? scenario : withConnections(scenario, connections))),
    proxies: namesIn(
      given,
      'proxies',
      contestants.map(({ name }) => name),
    ),
    rounds: numberIn(given, 'rounds', 3),
    seconds: numberIn(given, 'seconds', 5),
    json: given.json,
  }
}

function parse(args: readonly string[]): Given {
  try {
    return parseArgs({ args: [...args], options: known, strict: true }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function withConnections(scenario: Scenario, connections: number): Scenario {
  return scenario.idleConnections === undefined
    ? { ...scenario, connections }
    : { ...scenario, idleConnections: connections }
}

function numberIn(given: Given, name: 'rounds' | 'seconds' | 'connections', fallback: number): number {
  const written = given[name] ?? String(fallback)
  if (/^[1-9]\d{0,5}$/.test(written)) return Number(written)
  throw new UsageError(`--${name} must be a whole number from 1 to 999999`)
}

function namesIn(given: Given, name: 'scenario' | 'proxies', all: readonly string[]): readonly string[] {
  const written = given[name]?.split(',') ?? all
  const unknown = written.find((one) => !all.includes(one))
  if (unknown !== undefined) throw new UsageError(`--${name}: there is no "${unknown}", only ${all.join(', ')}`)
  return written
}
