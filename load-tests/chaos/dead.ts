// A service that has died, at a fixed rate: what the clients of its route feel once the breaker is open, beside those of the
// monolith's own routes in the same run. Rounds of plain, moved, plain in changing order.
// The danger it guards against: what warms up, or cools down, during the run and is taken for what the detour costs.
import { randomFrom } from '../../services/kit/prng.ts'
import { poissonTimes, systemTicker as ticker } from '../arrivals.ts'
import { type Client, connectTo } from '../client.ts'
import { spreadOf } from '../percentiles.ts'
import type { RunningProcess } from '../processes.ts'
import { type Kind, mixOf } from '../requests.ts'
import { page } from '../shadow/origin.ts'
import type { Round } from '../shadow/verdict.ts'
import { startTraffic } from '../traffic.ts'
import { breakersOf, type Gateway, type StartGateway } from './gateway.ts'
import { startSide } from './side.ts'
import type { DeadMeasured } from './verdict.ts'

const timeoutMs = 10_000
const maxInFlight = 2_000
const warmUpSeconds = 1

export interface DeadPlan {
  readonly rounds: number
  readonly ratePerSecond: number
  /** Of each part of a round, and of the outage before the first one. */
  readonly seconds: number
  readonly seed: number
  readonly say: (line: string) => void
}

interface Part {
  readonly p99: number
  readonly requests: number
  readonly notOk: number
  readonly unsent: number
}

type Path = '/plain' | '/moved'
type Run = (path: Path, seconds?: number) => Promise<Part>

/** @throws Error when something does not start, or `signal` came */
export async function runDead(plan: DeadPlan, start: StartGateway, signal: AbortSignal): Promise<DeadMeasured> {
  const sides: RunningProcess<string>[] = []
  const begin = async (what: string) => {
    const side = await startSide(what)
    sides.push(side)
    return side.ready
  }
  try {
    const gateway = await start(routesOf(await begin('answer'), await begin('hang')))
    try {
      return await measure(gateway, plan, signal)
    } finally {
      await gateway.close()
    }
  } finally {
    await Promise.all(sides.map((side) => side.stop()))
  }
}

async function measure(gateway: Gateway, plan: DeadPlan, signal: AbortSignal): Promise<DeadMeasured> {
  const client = connectTo(gateway.url, timeoutMs)
  const parts: Part[] = []
  const run: Run = async (path, seconds = plan.seconds) => {
    signal.throwIfAborted()
    const part = await runPart(client, path, { ...plan, seconds, seed: plan.seed + parts.length })
    parts.push(part)
    return part
  }
  try {
    await run('/plain', warmUpSeconds)
    // From the first request on the service is dead: these wait for it, and must be answered all the same.
    const outage = await run('/moved')
    const isOpen = (await breakersOf(gateway)).get('new') !== 'closed'
    plan.say(
      `outage   ${outage.requests} requests, p99 ${outage.p99.toFixed(2)} ms, breaker ${isOpen ? 'open' : 'closed'}`,
    )
    const rounds: Round[] = []
    for (let i = 0; i < plan.rounds; i += 1) {
      const round = await runRound(i, run)
      rounds.push(round)
      plan.say(lineOf(i, round))
    }
    const sum = (key: 'requests' | 'notOk' | 'unsent') => parts.reduce((total, one) => total + one[key], 0)
    const fellBack = await fallbacksOf(gateway)
    return { rounds, isOpen, fellBack, requests: sum('requests'), notOk: sum('notOk'), unsent: sum('unsent') }
  } finally {
    client.close()
  }
}

/** In each of the three places comes each of the three parts, round after round. */
async function runRound(nth: number, run: Run): Promise<Round> {
  const p99s: [plain: number, moved: number, plain: number] = [Number.NaN, Number.NaN, Number.NaN]
  for (const i of [0, 1, 2]) {
    const place = (i + nth) % 3
    p99s[place] = (await run(place === 1 ? '/moved' : '/plain')).p99
  }
  return { off: [p99s[0], p99s[2]], on: p99s[1] }
}

async function runPart(client: Client, path: Path, plan: DeadPlan): Promise<Part> {
  const random = randomFrom(plan.seed)
  const traffic = startTraffic({
    times: poissonTimes(plan, random),
    ticker,
    client,
    mix: mixOf(kindsAt(path), random),
    maxInFlight,
    idPrefix: `chaos-${plan.seed}-`,
  })
  await traffic.done
  const { records, unsent } = traffic
  const latencies = spreadOf(records.map(({ scheduledAt, endedAt }) => endedAt - scheduledAt))
  const notOk = records.filter(({ outcome }) => outcome !== 'ok').length
  return { p99: latencies?.p99 ?? Number.NaN, requests: records.length, notOk, unsent }
}

/** The safe methods (RFC 9110 §9.2.1) that are sent on. */
function kindsAt(path: Path): readonly Kind[] {
  const kind = (method: string, weight: number): Kind => {
    const expected = method === 'HEAD' ? '' : page()
    const ask = { method, target: `${path}/shipments` }
    const complaint = ({ body }: { readonly body: Buffer }) => (String(body) === expected ? undefined : 'another body')
    return { name: method, weight, next: () => ({ kind: method, ask, status: 200, complaint }) }
  }
  return [kind('GET', 8), kind('HEAD', 1), kind('OPTIONS', 1)]
}

/**
 * The route takes methods that write, and says nothing of writes surviving a rollback: the guard alarms and leaves it where it is.
 * Otherwise it would send everybody to the old side within a second, and there would be nothing to measure.
 */
function routesOf(old: string, dead: string): string {
  return `
accessLog: off
unmatched: old
upstreams:
  old: { url: ${old} }
  new: { url: ${dead}, firstByte: 300ms, breaker: {} }
routes:
  - { name: moved, match: { path: /moved/* }, move: { to: new, stage: live } }
`
}

/** Attempts that the old side made in place of the dead one. */
async function fallbacksOf({ adminUrl }: Gateway): Promise<number> {
  const lines = (await (await fetch(new URL('/metrics', adminUrl))).text()).split('\n')
  const counts = lines.filter((line) => /^banyan_upstream_attempts_total\{.*role="fallback"/.test(line))
  return counts.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

function lineOf(nth: number, { off: [one, two], on }: Round): string {
  const ms = (value: number) => value.toFixed(2).padStart(7)
  return `round ${nth + 1}  p99 ms: plain ${ms(one)} ${ms(two)}  fallback ${ms(on)}`
}
