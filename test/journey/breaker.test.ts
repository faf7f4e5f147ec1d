// An upstream that fails is left alone, over real sockets: who is answered what, what the upstream gets to see, and what must
// not open the circuit.
import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'
import { openWire } from '../harness/wire.ts'
import { until } from './caching.ts'
import { identityIn, session, startBetween } from './sides.ts'

interface Service {
  readonly url: string
  /** How it answers from now on. */
  act: (response: ServerResponse) => void
  hits(): number
  /** The next request that it is sent. */
  hit(): Promise<ServerResponse>
}

const failing = (response: ServerResponse) => void response.writeHead(500).end('failed')
const well = (response: ServerResponse) => void response.end('well')
const hanging = () => {}

async function startService(act: Service['act'] = failing): Promise<Service> {
  let hits = 0
  let next = Promise.withResolvers<ServerResponse>()
  const origin = await startOrigin((_, response) => {
    hits += 1
    next.resolve(response)
    next = Promise.withResolvers()
    service.act(response)
  })
  onTestFinished(() => origin.close())
  const service: Service = { url: origin.url, act, hits: () => hits, hit: () => next.promise }
  return service
}

function yamlOf({ url }: Service, breaker: string, more = ''): string {
  return `${more}
upstreams: { service: { url: "${url}", breaker: { minRequests: 5, ${breaker} } } }
unmatched: service
`
}

async function gatewayTo(service: Service, breaker: string): Promise<TestGateway> {
  const gateway = await startTestGateway(yamlOf(service, breaker))
  onTestFinished(() => gateway.close())
  return gateway
}

async function statusOf({ url }: TestGateway, method = 'GET'): Promise<number> {
  const response = await fetch(url, { method })
  await response.arrayBuffer()
  return response.status
}

async function statuses(gateway: TestGateway, count: number): Promise<number[]> {
  const all: number[] = []
  for (let i = 0; i < count; i++) all.push(await statusOf(gateway))
  return all
}

/** Asks until the upstream is sent a request again; whoever is refused meanwhile is told so. */
async function trial(gateway: TestGateway, service: Service) {
  const hit = service.hit()
  let isHit = false
  hit.then(() => {
    isHit = true
  })
  for (let i = 0; i < 100_000; i++) {
    const answered = statusOf(gateway)
    const first = await Promise.race([answered, hit.then(() => 'hit' as const)])
    if (isHit || first === 'hit') return { answered, response: await hit }
    expect(first).toBe(503)
  }
  throw new Error('no trial')
}

/** The first record of a breaker; it is written behind what it tells of. */
async function recorded({ adminUrl }: TestGateway): Promise<unknown> {
  for (let i = 0; i < 10_000; i++) {
    const history = (await (await fetch(`${adminUrl}/history`)).json()) as { records: { kind: string }[] }
    const record = history.records.find(({ kind }) => kind === 'breaker')
    if (record) return record
  }
  throw new Error('no record')
}

const state = 'banyan_breaker_state{upstream="service"}'

test('an upstream that fails is asked no more; until then its failures are its answers', async () => {
  const service = await startService()
  const gateway = await gatewayTo(service, 'open: 1m')
  expect(await statuses(gateway, 5)).toEqual([500, 500, 500, 500, 500])
  expect(await gateway.line(({ msg }) => msg === 'breaker opened')).toMatchObject({
    upstream: 'service',
    from: 'closed',
    to: 'open',
    reason: '5 of 5 requests within 10 s failed',
  })
  const response = await fetch(gateway.url, { method: 'POST', body: 'x', headers: { 'X-Request-Id': 'refused-1' } })
  expect(response.status).toBe(503)
  const seconds = Number(response.headers.get('retry-after'))
  expect(seconds > 40 && seconds <= 72).toBe(true)
  expect(await response.json()).toMatchObject({ code: 'upstreamOpen', title: 'The service is failing.' })
  expect(await statuses(gateway, 20)).toEqual(Array(20).fill(503))
  expect(service.hits()).toBe(5)
  const line = await gateway.line(({ id }) => id === 'refused-1')
  expect(line).toMatchObject({ status: 503, failure: 'upstreamOpen', upstream: 'service', by: 'gateway' })
})

test('operators see it: as a metric, in the status, and in the history', async () => {
  const service = await startService()
  const gateway = await gatewayTo(service, 'open: 1m')
  expect(await gateway.metric(state)).toBe(0)
  await statuses(gateway, 5)
  expect(await gateway.metric(state)).toBe(2)
  expect(await gateway.metric('banyan_breaker_transitions_total{upstream="service",to="open"}')).toBe(1)
  const breaker = { state: 'open', reason: '5 of 5 requests within 10 s failed', retryInSeconds: expect.any(Number) }
  const told = await (await fetch(`${gateway.adminUrl}/status`)).json()
  expect(told).toMatchObject({ upstreams: [{ name: 'service', breaker }] })
  const record = { kind: 'breaker', by: 'breaker', subject: 'service', from: 'closed', to: 'open' }
  expect(await recorded(gateway)).toMatchObject(record)
})

test('one request is let through as a trial, and closes it', async () => {
  const service = await startService()
  // A lease is as long as `open`: long enough for a trial to be answered, on whatever machine.
  const gateway = await gatewayTo(service, 'open: 2s')
  await statuses(gateway, 5)
  service.act = hanging
  const { answered, response } = await trial(gateway, service)
  const line = await gateway.line(({ msg }) => msg === 'breaker half-open')
  expect(line).toMatchObject({ upstream: 'service' })
  service.act = well
  well(response)
  expect(await answered).toBe(200)
  await gateway.line(({ msg }) => msg === 'breaker closed')
  expect(await gateway.metric(state)).toBe(0)
  expect(await statuses(gateway, 3)).toEqual([200, 200, 200])
})

test('while a trial is under way nobody else goes; a trial that fails is the only one', async () => {
  const service = await startService()
  const gateway = await gatewayTo(service, 'open: 4s')
  await statuses(gateway, 5)
  service.act = hanging
  const { answered, response } = await trial(gateway, service)
  expect(await statuses(gateway, 10)).toEqual(Array(10).fill(503))
  failing(response)
  expect(await answered).toBe(500)
  expect(await statuses(gateway, 10)).toEqual(Array(10).fill(503))
  expect(service.hits()).toBe(6)
})

test('a trial that hangs does not block the next one', async () => {
  const service = await startService()
  const gateway = await gatewayTo(service, 'open: 200ms')
  await statuses(gateway, 5)
  service.act = hanging
  const hung = await trial(gateway, service)
  service.act = well
  const second = await trial(gateway, service)
  expect([await second.answered, service.hits()]).toEqual([200, 7])
  hung.response.end('late')
  expect(await hung.answered).toBe(200)
})

test('a reload leaves an open circuit open; other settings are another circuit', async () => {
  const service = await startService()
  const gateway = await gatewayTo(service, 'open: 1m')
  await statuses(gateway, 5)
  await gateway.rewrite(yamlOf(service, 'open: 1m', '# a comment\npaths: { case: exact }'))
  expect(await statuses(gateway, 5)).toEqual([503, 503, 503, 503, 503])
  expect(service.hits()).toBe(5)
  await gateway.rewrite(yamlOf(service, 'open: 2m'))
  expect([await statusOf(gateway), service.hits()]).toEqual([500, 6])
})

test('without `breaker` every request is tried', async () => {
  const service = await startService()
  const gateway = await startTestGateway(`upstreams: { service: { url: "${service.url}" } }\nunmatched: service\n`)
  onTestFinished(() => gateway.close())
  await statuses(gateway, 30)
  expect(service.hits()).toBe(30)
})

test('clients that leave do not open it', async () => {
  const service = await startService(hanging)
  const gateway = await gatewayTo(service, 'open: 1m')
  for (let i = 0; i < 12; i++) {
    const hit = service.hit()
    const wire = await openWire(gateway.port, `GET / HTTP/1.1\r\nHost: h\r\nX-Request-Id: leaving-${i}\r\n\r\n`)
    await hit
    wire.socket.destroy()
    await gateway.line(({ id }) => id === `leaving-${i}`)
  }
  service.act = well
  expect([await statusOf(gateway), await gateway.metric(state)]).toEqual([200, 0])
})

test('answers that break off in their body open it', async () => {
  const service = await startService((response) => {
    response.writeHead(200, { 'Content-Length': '100' })
    response.write('half', () => response.destroy())
  })
  const gateway = await gatewayTo(service, 'open: 1m')
  for (let i = 0; i < 5; i++) {
    const response = await fetch(gateway.url, { headers: { 'X-Request-Id': `broken-${i}` } })
    await expect(response.text()).rejects.toThrow()
    await gateway.line(({ id }) => id === `broken-${i}`)
  }
  expect([await statusOf(gateway), service.hits()]).toEqual([503, 5])
})

test('an upstream that nobody can connect to is left alone', async () => {
  const service = await startService()
  const gone = await startOrigin(() => {})
  await gone.close()
  const gateway = await gatewayTo({ ...service, url: gone.url }, 'open: 1m, engine: opossum')
  expect(await statuses(gateway, 8)).toEqual([502, 502, 502, 502, 502, 503, 503, 503])
})

function moving(old: Service, candidate: Service, move: string): string {
  return `
paths: { case: exact }
upstreams:
  old: { url: "${old.url}" }
  new: { url: "${candidate.url}", breaker: { minRequests: 5, open: 1m } }
unmatched: old
sessionCookie: SESSION
routes:
  - { name: search, match: { path: /search/*, methods: [GET] }, move: { to: new, ${move} } }
`
}

test('requests that are only made to be compared do not open it', async () => {
  const [old, candidate] = await Promise.all([startService(well), startService()])
  const gateway = await startBetween(moving(old, candidate, 'stage: shadow, compare: { sample: 100%, atMost: 1000/s }'))
  for (let i = 0; i < 10; i++) {
    const hit = candidate.hit()
    expect((await fetch(`${gateway.url}/search/x`)).status).toBe(200)
    await hit
  }
  expect(await gateway.metric('banyan_breaker_state{upstream="new"}')).toBe(0)
  expect(candidate.hits()).toBe(10)
})

test('a leg that it refuses is not one that the candidate left unanswered', async () => {
  const [old, candidate] = await Promise.all([startService(well), startService()])
  const direct = '  - { name: direct, match: { path: /direct, methods: [POST] }, upstream: new }\n'
  const yaml = moving(old, candidate, 'stage: shadow, compare: { sample: 100%, atMost: 1000/s }')
  const gateway = await startBetween(yaml + direct)
  for (let i = 0; i < 5; i++) await (await fetch(`${gateway.url}/direct`, { method: 'POST' })).text()
  await gateway.line(({ msg }) => msg === 'breaker opened')
  expect(await (await fetch(`${gateway.url}/search/x`)).text()).toBe('well')
  await until(async () => {
    const found = await fetch(`${gateway.adminUrl}/diff/search?examples=no`)
    const { notCompared } = (await found.json()) as { notCompared?: Record<string, number> }
    return notCompared !== undefined && Object.keys(notCompared).join() === 'refused'
  })
  expect(candidate.hits()).toBe(5)
})

test('a canary whose breaker opens is rolled back, however few its requests', async () => {
  const [old, candidate] = await Promise.all([startService(well), startService()])
  const guard = 'guard: { minRequests: 1000, failuresInARow: 1000 }'
  const gateway = await startBetween(moving(old, candidate, `stage: canary, share: 50%, ${guard}`))
  const headers = session(identityIn('search', [0, 5_000]))
  for (let i = 0; i < 5; i++) await (await fetch(`${gateway.url}/search/x`, { headers })).text()
  const line = await gateway.line(({ msg }) => msg === 'rollout rollback')
  expect(line).toMatchObject({ rollout: 'search', by: 'guard', reason: 'the breaker of the new side has opened' })
  expect(await (await fetch(`${gateway.url}/search/x`, { headers })).text()).toBe('well')
})
