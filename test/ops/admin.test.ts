import { once } from 'node:events'
import { request } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { createAdmin } from '../../gateway/ops/admin.ts'
import type { Gateway } from '../../gateway/ops/gateway.ts'
import { createHealth } from '../../gateway/ops/health.ts'
import { createMetrics } from '../../gateway/ops/metrics.ts'
import { frozenClock, gatewayOf, reportOf, routeOf, snapshotOf } from './world.ts'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

async function adminOf(gateway: Partial<Gateway> = {}) {
  const clock = frozenClock()
  const metrics = createMetrics({ version: '1.2.3' })
  const app = await createAdmin({ gateway: gatewayOf(gateway), health: createHealth(clock), metrics, clock })
  open.push(app)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { url, metrics }
}

async function askAs(url: string, host: string): Promise<number | undefined> {
  const asking = request(`${url}/status`, { headers: { host } })
  asking.end()
  const [response] = await once(asking, 'response')
  response.resume()
  return response.statusCode
}

test('status tells what serves, what was refused and what was noticed', async () => {
  const moved = routeOf('search', 'live')
  const snapshot = snapshotOf({ revision: 41, routes: [moved] })
  const problem = { line: 4, column: 5, severity: 'error', message: 'unknown key "upstraem"' } as const
  const { url, metrics } = await adminOf({
    snapshot: () => snapshot,
    problems: () => [problem],
    hints: () => ['trust 10.0.0.5'],
  })
  metrics.end(reportOf({ route: moved, answer: { upstream: 'search' } }))
  metrics.nearMiss('search')
  const response = await fetch(`${url}/status`)
  expect(response.headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'")
  expect(response.headers.get('cache-control')).toBe('no-store')
  const connections = { open: 0, waiting: 0, most: 10, ofFleet: 10 }
  expect(await response.json()).toEqual({
    version: '0.0.0-test',
    uptimeSeconds: 245,
    draining: false,
    pressure: { lagMs: 0, shed: { yielding: 0, unsafe: 0, safe: 0 } },
    revision: 41,
    hash: '0123456789ab',
    loadedAt: '2026-01-02T03:00:00.000Z',
    sharing: { id: 'here', store: { is: 'memory' }, replicas: [] },
    keys: { standings: {}, underOldPepper: 0, silentSeconds: 0, replicas: [] },
    routes: [
      {
        name: 'search',
        match: { path: '/search' },
        stage: 'live',
        effective: { stage: 'live', share: '100%', why: 'file' },
        rollout: 'search',
        from: 'monolith',
        to: 'search',
        upstream: 'search',
        filters: ['observe', 'attempt'],
        requests: 1,
      },
      {
        name: 'unmatched',
        match: { path: '/unmatched' },
        upstream: 'monolith',
        filters: ['observe', 'attempt'],
        requests: 0,
      },
    ],
    upstreams: [
      { name: 'monolith', state: 'unknown', connects: false, origin: 'http://127.0.0.1:1', connections },
      { name: 'search', state: 'unknown', connects: false, origin: 'http://127.0.0.1:1', connections },
    ],
    warnings: [],
    problems: [problem],
    refused: '1 problem; still serving revision 41',
    hints: ['trust 10.0.0.5'],
    nearMisses: { search: 1 },
  })
})

test('status answers before the first Snapshot too', async () => {
  const { url } = await adminOf({ snapshot: () => undefined })
  expect(await (await fetch(`${url}/status`)).json()).toMatchObject({ routes: [], upstreams: [] })
})

test('health and metrics are there too', async () => {
  const { url } = await adminOf()
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  const metrics = await fetch(`${url}/metrics`)
  expect(metrics.headers.get('content-type')).toContain('text/plain')
  expect(await metrics.text()).toContain('banyan_build_info')
})

test('a name that a web page could have rebound to this address is refused', async () => {
  const { url } = await adminOf()
  const { port } = new URL(url)
  expect(await askAs(url, `evil.example:${port}`)).toBe(421)
  expect(await askAs(url, `localhost.evil.example`)).toBe(421)
  expect(await askAs(url, `127.0.0.1.evil.example`)).toBe(421)
  expect(await askAs(url, `localhost:${port}`)).toBe(200)
  expect(await askAs(url, `[::1]:${port}`)).toBe(200)
  expect(await askAs(url, '10.1.2.3')).toBe(200)
})

test('the configured name of the admin listener is accepted', async () => {
  const snapshot = snapshotOf()
  const settings = { ...snapshot.settings, admin: { host: 'gateway.internal', port: 0, tokens: [] } }
  const { url } = await adminOf({ snapshot: () => ({ ...snapshot, settings }) })
  expect(await askAs(url, 'gateway.internal:8081')).toBe(200)
})

test('a change needs a field that no web page of another site can send', async () => {
  let reloads = 0
  const reload = async () => {
    reloads += 1
    return { accepted: true, revision: 2, problems: [] }
  }
  const { url } = await adminOf({ reload })
  const preflight = await fetch(`${url}/reload`, {
    method: 'OPTIONS',
    headers: { origin: 'http://evil.example', 'access-control-request-headers': 'banyan-admin' },
  })
  expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
  expect((await fetch(`${url}/reload`, { method: 'POST' })).status).toBe(403)
  expect(reloads).toBe(0)
  const response = await fetch(`${url}/reload`, { method: 'POST', headers: { 'Banyan-Admin': '1' } })
  expect([response.status, await response.json()]).toEqual([200, { accepted: true, revision: 2, problems: [] }])
  expect(reloads).toBe(1)
})

test('a reload that is refused answers 422 with the problems', async () => {
  const problem = { line: 6, column: 18, severity: 'error', message: 'share must be between 0% and 100%' } as const
  const { url } = await adminOf({ reload: async () => ({ accepted: false, revision: 1, problems: [problem] }) })
  const response = await fetch(`${url}/reload`, { method: 'POST', headers: { 'Banyan-Admin': '1' } })
  expect([response.status, await response.json()]).toEqual([422, { accepted: false, revision: 1, problems: [problem] }])
})

test('what is not there is a 404 that says what is, and the wrong method a 405 that says which', async () => {
  const { url } = await adminOf()
  const missing = await fetch(`${url}/nothing`)
  expect([missing.status, missing.headers.get('content-type')]).toEqual([
    404,
    'application/problem+json; charset=utf-8',
  ])
  expect(await missing.json()).toMatchObject({ paths: expect.arrayContaining(['/status']) })
  const wrong = await fetch(`${url}/reload`)
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST'])
  const changing = await fetch(`${url}/status`, { method: 'DELETE' })
  expect([changing.status, changing.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
})

test('a path that is none is told like every other mistake', async () => {
  const { url } = await adminOf()
  const response = await fetch(`${url}/%zz`)
  expect([response.status, response.headers.get('content-type')]).toEqual([
    400,
    'application/problem+json; charset=utf-8',
  ])
  expect(await response.json()).toEqual({ type: 'about:blank', title: 'This is no valid path.', status: 400 })
})
