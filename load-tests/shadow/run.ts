// A shadow run: rounds of off, on, off in changing order, at a fixed rate, through two gateways that differ in nothing else.
// The danger it guards against: what warms up, or cools down, during the run and is taken for what comparing costs.
import { randomFrom } from '../../services/kit/prng.ts'
import { poissonTimes, systemTicker as ticker } from '../arrivals.ts'
import { type Client, connectTo } from '../client.ts'
import { spreadOf } from '../percentiles.ts'
import { mixOf, type RequestMix } from '../requests.ts'
import { startTraffic } from '../traffic.ts'
import { type Gateway, startGateways } from './gateways.ts'
import { page } from './origin.ts'
import type { Candidate, ShadowPlan } from './plan.ts'
import { judge, type Measured, type Round, type Verdict } from './verdict.ts'

const timeoutMs = 10_000
const maxInFlight = 2_000
const warmUpSeconds = 1
const clients = 50

export interface CandidateReport extends Measured, Verdict {
  readonly candidate: Candidate
  /** What the gateway's own record says of the legs. */
  readonly compared: number
  readonly notCompared: Readonly<Record<string, number>>
}

interface Part {
  readonly p99: number
  readonly requests: number
  readonly notOk: number
  readonly unsent: number
}

/** @throws Error when something does not start, or `signal` came */
export async function shadow(plan: ShadowPlan, signal: AbortSignal): Promise<readonly CandidateReport[]> {
  const reports: CandidateReport[] = []
  for (const candidate of plan.candidates) {
    reports.push(await measure(candidate, plan, signal))
    signal.throwIfAborted()
  }
  return reports
}

async function measure(candidate: Candidate, plan: ShadowPlan, signal: AbortSignal): Promise<CandidateReport> {
  const gateways = await startGateways(candidate)
  const ends = { off: connectTo(gateways.off.url, timeoutMs), on: connectTo(gateways.on.url, timeoutMs) }
  let part = 0
  const run = (side: 'off' | 'on', seconds = plan.seconds) => {
    part += 1
    return runPart(ends[side], { ...plan, seconds, seed: plan.seed + part, signal })
  }
  try {
    for (const side of ['off', 'on'] as const) await run(side, warmUpSeconds)
    const before = { off: await gateways.off.residentBytes('now'), on: await gateways.on.residentBytes('now') }
    const parts: Part[] = []
    const rounds: Round[] = []
    for (let i = 0; i < plan.rounds; i += 1) {
      const round = await runRound(i, run)
      signal.throwIfAborted()
      parts.push(...round)
      rounds.push(roundOf(round))
      plan.say(lineOf(candidate, i, roundOf(round)))
    }
    const sum = (key: 'requests' | 'notOk' | 'unsent') => parts.reduce((total, one) => total + one[key], 0)
    const counted = await legsOf(gateways.on)
    const measured = {
      rounds,
      growth: {
        off: (await gateways.off.residentBytes('most')) - before.off,
        on: (await gateways.on.residentBytes('most')) - before.on,
      },
      requests: sum('requests'),
      notOk: sum('notOk'),
      unsent: sum('unsent'),
      ...counted,
    }
    return { candidate, ...measured, ...judge(measured) }
  } finally {
    for (const end of Object.values(ends)) end.close()
    await gateways.close()
  }
}

type Ran = readonly [offOne: Part, on: Part, offTwo: Part]

/** In each of the three places comes each of the three parts, round after round. */
async function runRound(round: number, run: (side: 'off' | 'on') => Promise<Part>): Promise<Ran> {
  const order = (['off', 'on', 'off'] as const).map((_, i) => (i + round) % 3)
  const found = new Map<number, Part>()
  for (const place of order) found.set(place, await run(place === 1 ? 'on' : 'off'))
  return [found.get(0) as Part, found.get(1) as Part, found.get(2) as Part]
}

function roundOf([one, on, two]: Ran): Round {
  return { off: [one.p99, two.p99], on: on.p99 }
}

async function runPart(client: Client, plan: ShadowPlan & { readonly signal: AbortSignal }): Promise<Part> {
  const random = randomFrom(plan.seed)
  const times = poissonTimes(plan, random)
  const idPrefix = `shadow-${plan.seed}-`
  const traffic = startTraffic({ times, ticker, client, mix: requests(random), maxInFlight, idPrefix })
  await traffic.done
  const { records, unsent } = traffic
  const latencies = spreadOf(records.map(({ scheduledAt, endedAt }) => endedAt - scheduledAt))
  const notOk = records.filter(({ outcome }) => outcome !== 'ok').length
  return { p99: latencies?.p99 ?? Number.NaN, requests: records.length, notOk, unsent }
}

function requests(random: () => number): RequestMix {
  const expected = page()
  const next = () => ({
    kind: 'page',
    ask: {
      method: 'GET',
      target: `/shipments/${Math.floor(random() * 1_000)}`,
      fields: { Cookie: `SESSION=${Math.floor(random() * clients)}` },
    },
    status: 200,
    complaint: ({ body }: { readonly body: Buffer }) => (String(body) === expected ? undefined : 'another body'),
  })
  return mixOf([{ name: 'page', weight: 1, next }], random)
}

async function legsOf({ admin }: Gateway): Promise<Pick<CandidateReport, 'compared' | 'notCompared' | 'legs'>> {
  const response = await fetch(new URL('/diff/shipments?examples=no', admin))
  const { compared, notCompared } = (await response.json()) as Pick<CandidateReport, 'compared' | 'notCompared'>
  return { compared, notCompared, legs: compared + Object.values(notCompared).reduce((sum, count) => sum + count, 0) }
}

function lineOf(candidate: Candidate, round: number, { off, on }: Round): string {
  const ms = (value: number) => value.toFixed(2).padStart(7)
  return `${candidate.padEnd(6)} round ${round + 1}  p99 ms: off ${off.map(ms).join(' ')}  on ${ms(on)}`
}
