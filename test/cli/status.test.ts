import { afterEach, expect, test } from 'vitest'
import { createAdmin } from '../../gateway/ops/admin.ts'
import type { Gateway } from '../../gateway/ops/gateway.ts'
import { createHealth } from '../../gateway/ops/health.ts'
import { createMetrics } from '../../gateway/ops/metrics.ts'
import {
  frozenClock,
  gatewayOf,
  listen,
  monolith,
  outcomeOf,
  reportOf,
  routeOf,
  search,
  snapshotOf,
  upstreamAt,
} from '../ops/world.ts'
import { newFolder } from './banyan.ts'

const folder = await newFolder()
const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

const moved = routeOf('search', 'live')
const snapshot = snapshotOf({ revision: 41, routes: [moved] })

async function adminOf(gateway: Partial<Gateway> = {}): Promise<URL> {
  const clock = frozenClock()
  const health = createHealth(clock)
  const metrics = createMetrics({ version: '1.2.3' })
  metrics.end(reportOf({ route: moved, answer: { upstream: 'search' } }))
  metrics.nearMiss('search')
  health.outcome(outcomeOf({ blame: 'upstream', failure: 'upstreamReset' }))
  const app = await createAdmin({
    gateway: gatewayOf({ snapshot: () => snapshot, ...gateway }),
    health,
    metrics,
    clock,
  })
  open.push(app)
  return new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
}

test('status shows what serves, route by route, and how the upstreams fare', async () => {
  const admin = await adminOf({ hints: () => ['add 10.0.0.5 to trustedProxies'] })
  const { code, out } = await folder.banyan(['status', '--admin', admin.href])
  expect(code).toBe(0)
  expect(out).toContain('serves revision 41 (0123456789ab) of 2026-01-02T03:00:00.000Z; up 245 s')
  expect(out).toMatch(/^search +\/search +live +search \(monolith → search\) +1 +1$/m)
  expect(out).toMatch(/^unmatched +\/unmatched +- +monolith +0 +0$/m)
  expect(out).toMatch(/^search +http:\/\/127.0.0.1:1 +no +0 of 10 +failing: upstreamReset since 2026/m)
  expect(out).toContain('hint: add 10.0.0.5 to trustedProxies')
})

test('status shows who waits for a connection, and what is refused because the gateway is behind', async () => {
  const admin = await adminOf({
    loadOf: () => ({ open: 7, waiting: 3, most: 7 }),
    pressure: () => ({ lagMs: 250, shed: { yielding: 12, unsafe: 1, safe: 0 } }),
  })
  const { out } = await folder.banyan(['status', '--admin', admin.href])
  expect(out).toContain('up 245 s; 250 ms behind; refused for being behind: 12 yielding, 1 unsafe\n')
  expect(out).toMatch(/^UPSTREAM +ORIGIN +CONNECTS +CONNECTIONS +LAST ATTEMPT +BREAKER$/m)
  expect(out).toMatch(/^search +http:\/\/127.0.0.1:1 +no +7 of 7, 3 wait +failing/m)
})

test('a refused file is told with its problems, and the exit code is 1', async () => {
  const problem = { line: 4, column: 5, severity: 'error', message: 'unknown key "upstraem"' } as const
  const admin = await adminOf({ problems: () => [problem] })
  const { code, out } = await folder.banyan(['status', '--admin', admin.href])
  expect(code).toBe(1)
  expect(out).toContain('routes.yaml:4:5  unknown key "upstraem"\n1 problem; still serving revision 41')
})

test('status answers a script in JSON', async () => {
  const admin = await adminOf()
  const { code, out } = await folder.banyan(['status', '--admin', admin.href, '--json'])
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ revision: 41, routes: [{ name: 'search', stage: 'live' }, {}] })
})

test('the address comes from the configuration, even when that has mistakes elsewhere', async () => {
  const { port } = await adminOf()
  await folder.write('routes.yaml', `admin: { host: 0.0.0.0, port: ${port} }\nupstraems: {}\n`)
  const { code, out } = await folder.banyan(['status'])
  expect([code, out.includes('serves revision 41')]).toEqual([0, true])
})

test('a gateway that is away is exit code 3, with the address that was tried', async () => {
  const gone = await listen(() => {})
  await gone.close()
  const url = `http://127.0.0.1:${gone.port}`
  const { code, out, err } = await folder.banyan(['status', '--admin', url])
  expect([code, out]).toEqual([3, ''])
  expect(err).toContain(`no gateway answers at ${url}: connect ECONNREFUSED`)
})

test('something else that listens there is not taken for a gateway', async () => {
  const other = await listen((_, answer) => answer.end('hello'))
  open.push(other)
  expect(await folder.banyan(['status', '--admin', `http://127.0.0.1:${other.port}`])).toMatchObject({ code: 3 })
})

test('without an address there is nothing to ask', async () => {
  await folder.write('free.yaml', 'admin: { port: 0 }\n')
  const free = await folder.banyan(['status', '--config', 'free.yaml'])
  expect([free.code, free.err.includes('give --admin URL')]).toEqual([2, true])
  expect(await folder.banyan(['status', '--config', 'missing.yaml'])).toMatchObject({ code: 2 })
  expect(await folder.banyan(['status', '--admin', 'localhost:1'])).toMatchObject({ code: 2 })
})

test('status lists the targets of an upstream that has several', async () => {
  const several = { ...search, targets: [1, 2].map((port) => upstreamAt('search', port).target) }
  const load = { isUp: true, warmth: 1, active: 3, open: 4, unreached: 5 }
  const targets = [
    { ...load, origin: 'http://127.0.0.1:1' },
    { ...load, origin: 'http://127.0.0.1:2', isUp: false, warmth: 0.25 },
  ]
  const admin = await adminOf({
    snapshot: () => snapshotOf({ routes: [moved], upstreams: [monolith, several] }),
    balanceOf: () => ({ targets, moved: 0 }),
  })
  const { out } = await folder.banyan(['status', '--admin', admin.href])
  expect(out).toMatch(/^search +2 targets +no/m)
  expect(out).toMatch(/^UPSTREAM +TARGET +UP +REQUESTS +CONNECTIONS +NOT REACHED$/m)
  expect(out).toMatch(/^search +http:\/\/127.0.0.1:1 +yes +3 +4 +5$/m)
  expect(out).toMatch(/^search +http:\/\/127.0.0.1:2 +no, given 25% +3 +4 +5$/m)
})

test('status lists what is known of watched targets, a single one too, and how much an upstream is given', async () => {
  const watched = {
    ...search,
    isAdaptive: true as const,
    health: { path: '/', everyMs: 1, timeoutMs: 1, unhealthy: 1, healthy: 1 },
  }
  const targets = [
    { target: 'http://127.0.0.1:1', isUp: true, checks: { isWell: true, good: 7, failed: 1 }, ejections: 0 },
    { target: 'http://127.0.0.1:2', isUp: false, ejections: 2, backInMs: 12_300 },
    { target: 'http://127.0.0.1:3', isUp: false, checks: { isWell: false, good: 0, failed: 3 } },
  ]
  const admin = await adminOf({
    snapshot: () => snapshotOf({ routes: [moved], upstreams: [monolith, watched] }),
    watchOf: () => ({ targets, concurrency: { most: 26, calmMs: 48.25 } }),
  })
  const { out } = await folder.banyan(['status', '--admin', admin.href])
  expect(out).toMatch(/^UPSTREAM +TARGET +CHECKS +LEFT ALONE$/m)
  expect(out).toMatch(/^search +http:\/\/127.0.0.1:1 +well \(7 good, 1 failed\) +never$/m)
  expect(out).toMatch(/^search +http:\/\/127.0.0.1:2 +- +now, for 13 s more \(2 times\)$/m)
  expect(out).toMatch(/^search +http:\/\/127.0.0.1:3 +not well \(0 good, 3 failed\) +-$/m)
  expect(out).toMatch(/^search +26 +48\.3 ms$/m)
  expect(out).not.toMatch(/^monolith +(26|http:\/\/127.0.0.1:\d +(well|-))/m)
})

test('status names the routes whose limit refuses somebody, or would', async () => {
  const counts = { allowed: 40, refused: 2, wouldRefuse: 7, unknown: 0, withoutStore: 0 }
  const busy = await adminOf({ limits: () => new Map([['search', counts]]) })
  const { out } = await folder.banyan(['status', '--admin', busy.href])
  expect(out).toContain('limit of search: 40 allowed, 2 refused, 7 would be refused\n')
  const calm = await adminOf({ limits: () => new Map([['search', { ...counts, refused: 0, wouldRefuse: 0 }]]) })
  expect((await folder.banyan(['status', '--admin', calm.href])).out).not.toContain('limit of')
})
