// The Redis that replicas share their cache in, frozen, thawed, killed and restarted under load: what clients feel of it in each
// phase, how soon it is used again, and how soon a purge at one gateway is heard at the other.
// The danger it guards against: a run in which the Redis was never asked, so that nobody missed it.
import { setTimeout as pause } from 'node:timers/promises'
import { randomFrom } from '../../services/kit/prng.ts'
import { type RedisServer, startRedis } from '../../test/redis/server.ts'
import { poissonTimes, systemTicker as ticker } from '../arrivals.ts'
import { connectTo } from '../client.ts'
import { spreadOf } from '../percentiles.ts'
import { type Kind, mixOf } from '../requests.ts'
import { page } from '../shadow/origin.ts'
import { type SentRequest, startTraffic, type Traffic } from '../traffic.ts'
import type { Gateway, StartGateway } from './gateway.ts'
import { startSide } from './side.ts'

const timeoutMs = 10_000
const maxInFlight = 2_000
const purges = 20
/** From then on after its return nothing may be felt of it. */
const settledAfterMs = 1_000

export interface CachePlan {
  readonly ratePerSecond: number
  /** Of each phase. */
  readonly seconds: number
  readonly seed: number
  readonly say: (line: string) => void
}

export const phases = ['before', 'frozen', 'thawed', 'killed', 'restarted'] as const
export type Phase = (typeof phases)[number]

export interface PhaseMeasured {
  readonly phase: Phase
  readonly requests: number
  readonly p99Ms: number
  /** Of a return: until the gateway has it again, and p99 of what came a second after it. */
  readonly back?: { readonly afterMs: number; readonly settledP99Ms: number }
  /** Answers that were put into it. */
  readonly puts: number
}

export interface CacheMeasured {
  readonly phases: readonly PhaseMeasured[]
  /** Looks that it did not answer, or that were spared. */
  readonly missed: number
  readonly requests: number
  readonly notOk: number
  readonly unsent: number
  /** From the order at one gateway until the other has heard of it, the longest last. */
  readonly purgesMs: readonly number[]
}

/** @throws Error when something does not start, or `signal` came */
export async function runCache(plan: CachePlan, start: StartGateway, signal: AbortSignal): Promise<CacheMeasured> {
  const closing: (() => Promise<unknown>)[] = []
  try {
    const side = await startSide('answer')
    closing.push(() => side.stop())
    const redis = await startRedis()
    closing.push(redis.stop)
    const yaml = routesOf(side.ready, redis)
    const [loaded, other] = [await start(yaml), await start(yaml)]
    closing.push(loaded.close, other.close)
    const purgesMs = await measurePurges(loaded, other)
    return { ...(await measure({ loaded, redis }, plan, signal)), purgesMs }
  } finally {
    await Promise.all(closing.reverse().map((close) => close()))
  }
}

interface Scene {
  readonly loaded: Gateway
  readonly redis: RedisServer
}

async function measure(scene: Scene, plan: CachePlan, signal: AbortSignal): Promise<Omit<CacheMeasured, 'purgesMs'>> {
  const client = connectTo(scene.loaded.url, timeoutMs)
  const random = randomFrom(plan.seed)
  const times = poissonTimes({ ...plan, seconds: plan.seconds * phases.length }, random)
  const idPrefix = `cache-${plan.seed}-`
  const traffic = startTraffic({ times, ticker, client, mix: mixOf(kinds(), random), maxInFlight, idPrefix })
  try {
    const spans: Span[] = []
    for (const phase of phases) {
      signal.throwIfAborted()
      spans.push(await runPhase(phase, scene, plan.seconds))
    }
    await traffic.done
    const measured = spans.map((span) => measuredIn(span, traffic))
    for (const one of measured) plan.say(lineOf(one))
    const { records, unsent } = traffic
    const notOk = records.filter(({ outcome }) => outcome !== 'ok').length
    const missed = (await looks(scene.loaded, 'late')) + (await looks(scene.loaded, 'away'))
    return { phases: measured, missed, requests: records.length, notOk, unsent }
  } finally {
    client.close()
  }
}

interface Span {
  readonly phase: Phase
  readonly from: number
  readonly until: number
  readonly backAfterMs?: number
  readonly puts: number
}

const deeds: Readonly<Record<Phase, (redis: RedisServer) => unknown>> = {
  before: () => {},
  frozen: (redis) => redis.freeze(),
  thawed: (redis) => redis.thaw(),
  killed: (redis) => redis.kill(),
  restarted: (redis) => redis.restart(),
}

async function runPhase(phase: Phase, { loaded, redis }: Scene, seconds: number): Promise<Span> {
  const putsBefore = await metric(loaded, 'banyan_cache_store_puts_total{result="stored"}')
  await deeds[phase](redis)
  const from = ticker.now()
  const isReturn = phase === 'thawed' || phase === 'restarted'
  if (isReturn) while ((await metric(loaded, 'banyan_cache_store_up')) !== 1);
  const backAfterMs = ticker.now() - from
  await pause(Math.max(0, from + seconds * 1000 - ticker.now()))
  const puts = (await metric(loaded, 'banyan_cache_store_puts_total{result="stored"}')) - putsBefore
  return { phase, from, until: ticker.now(), puts, ...(isReturn && { backAfterMs }) }
}

function measuredIn({ phase, from, until, puts, backAfterMs }: Span, { records }: Traffic): PhaseMeasured {
  const own = records.filter(({ scheduledAt }) => scheduledAt >= from && scheduledAt < until)
  const settledP99Ms = p99Of(own.filter(({ scheduledAt }) => scheduledAt >= from + settledAfterMs))
  const back = backAfterMs === undefined ? undefined : { afterMs: backAfterMs, settledP99Ms }
  return { phase, requests: own.length, p99Ms: p99Of(own), puts, ...(back && { back }) }
}

function p99Of(records: readonly SentRequest[]): number {
  return spreadOf(records.map(({ scheduledAt, endedAt }) => endedAt - scheduledAt))?.p99 ?? Number.NaN
}

/** Most lie near; one of five is new, and looked for in Redis and put there. */
function kinds(): readonly Kind[] {
  let asked = 0
  const kind = (name: string, weight: number, target: () => string): Kind => ({
    name,
    weight,
    next: () => ({
      kind: name,
      ask: { method: 'GET', target: target() },
      status: 200,
      complaint: ({ body }) => (String(body) === page() ? undefined : 'another body'),
    }),
  })
  return [kind('near', 4, () => `/cached/${++asked % 50}`), kind('new', 1, () => `/cached/new?${++asked}`)]
}

async function measurePurges(loaded: Gateway, other: Gateway): Promise<readonly number[]> {
  const heard = () => metric(other, 'banyan_cache_purges_total{by="log"}')
  const order = {
    method: 'POST',
    headers: { 'Banyan-Admin': 'chaos', 'Content-Type': 'application/json' },
    body: '{"route":"cached"}',
  }
  const tookMs: number[] = []
  for (let i = 0; i < purges; i += 1) {
    const before = await heard()
    const startedAt = ticker.now()
    const answered = await fetch(new URL('/cache/purge', loaded.adminUrl), order)
    if (!answered.ok) throw new Error(`a purge was answered ${answered.status}`)
    while ((await heard()) === before);
    tookMs.push(ticker.now() - startedAt)
  }
  return tookMs.toSorted((a, b) => a - b)
}

const looks = (gateway: Gateway, result: string) =>
  metric(gateway, `banyan_cache_looks_total{tier="redis",result="${result}"}`)

async function metric({ adminUrl }: Gateway, series: string): Promise<number> {
  const lines = (await (await fetch(new URL('/metrics', adminUrl))).text()).split('\n')
  return Number(lines.find((line) => line.startsWith(`${series} `))?.split(' ')[1] ?? 0)
}

function routesOf(side: string, redis: RedisServer): string {
  return `
accessLog: off
sessionCookie: SESSION
paths: { case: exact }
store: { cache: "${redis.url}" }
unmatched: side
upstreams: { side: { url: ${side} } }
routes:
  - { name: cached, match: { path: /cached/*, methods: [GET] }, upstream: side, cache: { fresh: 10m } }
`
}

function lineOf({ phase, requests, p99Ms, back }: PhaseMeasured): string {
  const settled = back ? `; back after ${back.afterMs.toFixed(0)} ms, then p99 ${back.settledP99Ms.toFixed(2)} ms` : ''
  return `${phase.padEnd(9)} ${requests} requests, p99 ${p99Ms.toFixed(2)} ms${settled}`
}
