import { afterEach, expect, test } from 'vitest'
import type { Gateway } from '../../gateway/ops/gateway.ts'
import { createHealth } from '../../gateway/ops/health.ts'
import { createProbes } from '../../gateway/ops/probes.ts'
import { frozenClock, gatewayOf, listen, outcomeOf, snapshotOf, upstreamAt } from './world.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

async function probe(path: string, gateway: Partial<Gateway> = {}, init: RequestInit = {}) {
  const server = await listen(createProbes(gatewayOf(gateway), createHealth(frozenClock())))
  open.push(server)
  const response = await fetch(`http://127.0.0.1:${server.port}${path}`, init)
  const text = await response.text()
  return { status: response.status, fields: response.headers, body: text === '' ? undefined : JSON.parse(text) }
}

/** A port that refuses connections: one that was free a moment ago. */
async function refusingPort(): Promise<number> {
  const server = await listen(() => {})
  await server.close()
  return server.port
}

test('the gateway is alive before it has a Snapshot, but not ready', async () => {
  expect(await probe('/healthz', { snapshot: () => undefined })).toMatchObject({ status: 200 })
  expect(await probe('/readyz', { snapshot: () => undefined })).toMatchObject({ status: 503, body: { ready: false } })
})

test('a draining gateway is alive, but not ready', async () => {
  expect(await probe('/healthz', { isDraining: () => true })).toMatchObject({ status: 200 })
  expect(await probe('/readyz', { isDraining: () => true })).toMatchObject({ status: 503, body: { why: 'draining' } })
})

test('an upstream that is down is told in the body of readiness and never in its status', async () => {
  const up = await listen(() => {})
  open.push(up)
  const upstreams = [upstreamAt('monolith', up.port), upstreamAt('search', await refusingPort())]
  const answer = await probe('/readyz', { snapshot: () => snapshotOf({ revision: 3, upstreams }) })
  expect(answer.status).toBe(200)
  expect(answer.body).toEqual({
    ready: true,
    revision: 3,
    upstreams: [
      { name: 'monolith', state: 'unknown', connects: true },
      { name: 'search', state: 'unknown', connects: false },
    ],
  })
})

test('the probe listener has nothing else, takes no change, and tells no addresses', async () => {
  expect(await probe('/metrics')).toMatchObject({ status: 404 })
  expect(await probe('/status')).toMatchObject({ status: 404 })
  const refused = await probe('/healthz', {}, { method: 'POST' })
  expect(refused.status).toBe(405)
  expect(refused.fields.get('allow')).toBe('GET, HEAD')
  expect(await probe('/readyz', {}, { method: 'HEAD' })).toMatchObject({ status: 200, body: undefined })
  expect(JSON.stringify((await probe('/readyz?verbose')).body)).not.toContain('127.0.0.1')
})

test('the last attempt tells the health of an upstream, with the time and the code of its failure', async () => {
  const clock = frozenClock(0)
  const health = createHealth(clock)
  const snapshot = snapshotOf()
  const seen = async () => (await health.upstreams(snapshot))[1]
  health.outcome(outcomeOf())
  expect(await seen()).toMatchObject({ state: 'ok', since: '1970-01-01T00:00:00.000Z' })
  clock.advance(1000)
  health.outcome(outcomeOf({ blame: 'upstream', failure: 'upstreamReset' }))
  clock.advance(1000)
  health.outcome(outcomeOf({ blame: 'upstream', failure: 'upstreamRefused' }))
  expect(await seen()).toMatchObject({
    state: 'failing',
    lastFailure: 'upstreamRefused',
    since: '1970-01-01T00:00:01.000Z',
  })
  health.outcome(outcomeOf())
  expect(await seen()).toMatchObject({ state: 'ok', lastFailure: 'upstreamRefused', since: '1970-01-01T00:00:02.000Z' })
})

test('a client that leaves and a fault of our own say nothing of the upstream', async () => {
  const health = createHealth(frozenClock())
  health.outcome(outcomeOf({ blame: 'client', failure: 'clientGone' }))
  health.outcome(outcomeOf({ blame: 'gateway', failure: 'internal' }))
  expect((await health.upstreams(snapshotOf()))[1]).toMatchObject({ name: 'search', state: 'unknown' })
})

test('an upstream is asked for a connection at most once in two seconds', async () => {
  const server = await listen(() => {})
  const clock = frozenClock()
  const health = createHealth(clock)
  const snapshot = snapshotOf({ upstreams: [upstreamAt('monolith', server.port)] })
  expect(await health.upstreams(snapshot)).toMatchObject([{ connects: true }])
  await server.close()
  clock.advance(1999)
  expect(await health.upstreams(snapshot)).toMatchObject([{ connects: true }])
  clock.advance(1)
  expect(await health.upstreams(snapshot)).toMatchObject([{ connects: false }])
})
