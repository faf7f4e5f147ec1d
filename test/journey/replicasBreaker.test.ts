// Three gateways before one upstream that fails, with one real Redis: what the fleet opens, who tries, and what the upstream sees.
import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { startOrigin } from '../harness/origin.ts'
import { type RedisServer, startRedis } from '../redis/server.ts'
import { until } from '../state/store/stores.ts'
import { read, storeLine } from './fleet.ts'
import { newStateDir, startBetween } from './sides.ts'

type Replica = Awaited<ReturnType<typeof startBetween>>

const failing = (response: ServerResponse) => void response.writeHead(500).end('failed')
const well = (response: ServerResponse) => void response.end('well')

interface Breaking {
  readonly replicas: readonly Replica[]
  readonly redis: RedisServer
  /** Each request that the upstream has been sent. */
  readonly hits: ServerResponse[]
  act(how: (response: ServerResponse) => void): void
}

async function startBreaking(openFor: string): Promise<Breaking> {
  const hits: ServerResponse[] = []
  let acting: (response: ServerResponse) => void = failing
  const service = await startOrigin((_, response) => {
    hits.push(response)
    acting(response)
  })
  const redis = await startRedis()
  onTestFinished(async () => {
    await redis.stop()
    await service.close()
  })
  const replicas: Replica[] = []
  for (let i = 0; i < 3; i++) {
    const breaker = `{ minRequests: 5, open: ${openFor}, window: 60s }`
    const yaml = `accessLog: off
paths: {}
store: { state: "${redis.url}" }
replicas: 4
upstreams: { service: { url: "${service.url}", maxConnections: 12, breaker: ${breaker} } }
unmatched: service
`
    replicas.push(await startBetween(yaml, await newStateDir()))
  }
  const act: Breaking['act'] = (how) => {
    acting = how
  }
  // A fourth is believed in until each has counted them.
  const most = 'banyan_upstream_connections_most{upstream="service"}'
  await until(async () => (await Promise.all(replicas.map((one) => one.metric(most)))).every((share) => share === 4))
  return { replicas, redis, hits, act }
}

interface Status {
  readonly upstreams: readonly { readonly breaker: Record<string, unknown> }[]
}

async function statusOf({ url }: Replica, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(url, { headers })
  await response.arrayBuffer()
  return response.status
}

async function fail(replica: Replica): Promise<void> {
  for (let i = 0; i < 5; i++) expect(await statusOf(replica)).toBe(500)
}

const opened = (replica: Replica) => replica.line(({ msg }) => msg === 'breaker opened')

test('two that see it fail open it for the third, which has sent it nothing; its operators see by whom', async () => {
  const { replicas, hits } = await startBreaking('10m')
  const [one, two, third] = replicas
  if (!one || !two || !third) throw new Error('no replicas')
  await fail(one)
  await fail(two)
  const startedAt = performance.now()
  expect(await opened(third)).toMatchObject({
    upstream: 'service',
    by: 'fleet',
    reason: 'by the fleet: 2 of 3 replicas hold it open',
  })
  console.log(`opened at the third ${(performance.now() - startedAt).toFixed(0)} ms after the second`)
  expect((await opened(one)).by).toBeUndefined()
  expect(await statusOf(third)).toBe(503)
  expect(hits).toHaveLength(10)
  const { upstreams } = await read<Status>(third, 'status')
  expect(upstreams[0]?.breaker).toMatchObject({ state: 'open', fleet: { isOpen: true, votes: 2, replicas: 3 } })
  expect(await third.metric('banyan_breaker_fleet_transitions_total{upstream="service",to="open"}')).toBe(1)
  expect(await one.metric('banyan_breaker_fleet_transitions_total{upstream="service",to="open"}')).toBe(0)
  expect(await third.metric('banyan_breaker_votes{upstream="service"}')).toBe(2)
  await until(async () => {
    const { records } = await read<{ records: Record<string, unknown>[] }>(third, 'history')
    return records.some(({ kind, by, to }) => kind === 'breaker' && by === 'fleet' && to === 'open')
  })
})

test('exactly one probe of the fleet reaches the upstream, and its answer closes the circuit at all', async () => {
  const { replicas, hits, act } = await startBreaking('5s')
  await Promise.all(replicas.slice(0, 2).map(fail))
  await Promise.all(replicas.map(opened))
  const before = hits.length
  // Nobody answers the probe yet: whatever is sent meanwhile is one too many.
  act(() => {})
  await until(async () => {
    await Promise.all(replicas.map((replica) => Promise.race([statusOf(replica), hitsBeyond(hits, before)])))
    return hits.length > before
  })
  const statuses = await Promise.all(replicas.flatMap((replica) => [statusOf(replica), statusOf(replica)]))
  expect(statuses).toEqual(Array(6).fill(503))
  expect(hits).toHaveLength(before + 1)
  act(well)
  const [probe] = hits.slice(before)
  probe?.end('well')
  await Promise.all(replicas.map((replica) => replica.line(({ msg }) => msg === 'breaker closed')))
  expect(await Promise.all(replicas.map((replica) => statusOf(replica)))).toEqual([200, 200, 200])
})

async function hitsBeyond(hits: readonly unknown[], count: number): Promise<void> {
  await until(async () => hits.length > count)
}

test('one whose way there is broken opens only its own, and the others go on', async () => {
  const { replicas, act } = await startBreaking('10m')
  act((response) => (response.req.headers['x-lost'] ? response.req.socket.destroy() : well(response)))
  const [broken, ...others] = replicas
  if (!broken) throw new Error('no replica')
  const lost = { 'X-Lost': 'on its way' }
  for (let i = 0; i < 5; i++) expect(await statusOf(broken, lost)).toBe(502)
  await opened(broken)
  expect(await statusOf(broken)).toBe(503)
  for (const other of others) {
    await until(async () => (await other.metric('banyan_breaker_votes{upstream="service"}')) === 1)
    expect((await read<Status>(other, 'status')).upstreams[0]?.breaker).toMatchObject({ state: 'closed' })
    expect(await statusOf(other)).toBe(200)
  }
})

test.each(['killed', 'frozen'] as const)(
  'with a Redis that is %s each opens and tries alone, and nobody waits',
  async (how) => {
    const { replicas, redis, act } = await startBreaking('1s')
    if (how === 'killed') await redis.kill()
    else redis.freeze()
    await Promise.all(replicas.map((replica) => storeLine(replica, 'down')))
    const [one, two, third] = replicas
    if (!one || !two || !third) throw new Error('no replicas')
    await Promise.all([one, two].map(fail))
    await Promise.all([one, two].map(opened))
    expect(await statusOf(third)).toBe(500)
    act(well)
    for (const replica of [one, two]) {
      await until(async () => (await statusOf(replica)) === 200)
      await replica.line(({ msg }) => msg === 'breaker closed')
    }
    redis.thaw()
  },
)
