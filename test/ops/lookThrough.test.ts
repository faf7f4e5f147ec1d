import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type IncomingHttpHeaders, type RequestListener, request } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { text } from 'node:stream/consumers'
import { afterEach, expect, test } from 'vitest'
import type { Snapshot } from '../../gateway/model.ts'
import { createAdmin } from '../../gateway/ops/admin.ts'
import { createHealth } from '../../gateway/ops/health.ts'
import { createMetrics } from '../../gateway/ops/metrics.ts'
import { frozenClock, gatewayOf, listen, snapshotOf, upstreamAt } from './world.ts'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const server of open.splice(0).reverse()) await server.close()
})

async function adminBefore(snapshot: () => Snapshot): Promise<string> {
  const clock = frozenClock()
  const ports = { gateway: gatewayOf({ snapshot }), health: createHealth(clock), clock }
  const app = await createAdmin({ ...ports, metrics: createMetrics({ version: '1.2.3' }) })
  open.push(app)
  return app.listen({ host: '127.0.0.1', port: 0 })
}

interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly fields: IncomingHttpHeaders
}

/** An admin listener before one upstream, `monolith`, that remembers what it was asked. */
async function lookAt(serve: RequestListener) {
  const asked: Asked[] = []
  const upstream = await listen((incoming, answer) => {
    asked.push({ method: incoming.method, url: incoming.url, fields: incoming.headers })
    serve(incoming, answer)
  })
  open.push(upstream)
  const snapshot = snapshotOf({ upstreams: [upstreamAt('monolith', upstream.port)] })
  const url = await adminBefore(() => snapshot)
  return { url, asked, port: upstream.port }
}

/** Sends the target as it is; fetch would remove dot segments. */
async function ask(url: string, path: string, headers: Record<string, string> = {}) {
  const asking = request({ ...toParts(url), path, headers })
  asking.end()
  const [response] = await once(asking, 'response')
  return { status: response.statusCode as number, fields: response.headers, body: await text(response) }
}

function toParts(url: string) {
  const { hostname, port } = new URL(url)
  return { hostname, port }
}

test('an operator sees an upstream through the admin listener, query included', async () => {
  const { url, asked, port } = await lookAt((_, answer) => answer.end('ledger'))
  const answer = await ask(url, '/upstreams/monolith/__admin/ledger?since=3&id=a%20b')
  expect(answer).toMatchObject({ status: 200, body: 'ledger' })
  expect(asked).toMatchObject([{ url: '/__admin/ledger?since=3&id=a%20b', fields: { host: `127.0.0.1:${port}` } }])
})

test('an upstream that answers 503 is asked once, with its own answer passed on', async () => {
  const { url, asked } = await lookAt((_, answer) => answer.writeHead(503, { 'retry-after': '1' }).end('not now'))
  expect(await ask(url, '/upstreams/monolith/health')).toMatchObject({ status: 503, body: 'not now' })
  expect(asked).toHaveLength(1)
})

test('a connection that breaks is a 502 after one attempt', async () => {
  const { url, asked } = await lookAt((incoming) => incoming.socket.destroy())
  expect(await ask(url, '/upstreams/monolith/health')).toMatchObject({ status: 502 })
  expect(asked).toHaveLength(1)
})

test('an upstream that refuses connections is a 502 that says so', async () => {
  const gone = await listen(() => {})
  await gone.close()
  const url = await adminBefore(() => snapshotOf({ upstreams: [upstreamAt('monolith', gone.port)] }))
  const answer = await ask(url, '/upstreams/monolith/health')
  expect(answer.status).toBe(502)
  expect(JSON.parse(answer.body)).toMatchObject({ status: 502, code: 'ECONNREFUSED' })
})

test('an upstream whose certificate nobody vouches for is not believed', async () => {
  const pem = await readFile(new URL('self-signed.pem', import.meta.url))
  let requests = 0
  const server = createTlsServer({ key: pem, cert: pem }, (_, answer) => {
    requests += 1
    answer.end('impostor')
  })
  const upstream = await listen(server)
  open.push(upstream)
  const url = await adminBefore(() => snapshotOf({ upstreams: [upstreamAt('monolith', upstream.port, 'https')] }))
  const answer = await ask(url, '/upstreams/monolith/health')
  expect(answer.status).toBe(502)
  expect(JSON.parse(answer.body)).toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  expect(requests).toBe(0)
})

test('no path leads out of the prefix or to another host', async () => {
  const { url, asked } = await lookAt((_, answer) => answer.end('reached'))
  const escapes = ['/../../status', '/..%2f..%2fstatus', '/%2e%2e/x', '//evil.example/x', '/\\evil.example', '/..\\x']
  for (const path of escapes) {
    const { status } = await ask(url, `/upstreams/monolith${path}`)
    expect([path, status]).toEqual([path, 400])
  }
  expect(asked).toEqual([])
})

test('the name is looked up in the Snapshot of the moment, and an unknown one is a 404 that lists the known', async () => {
  const upstream = await listen((_, answer) => answer.end('found'))
  open.push(upstream)
  let snapshot = snapshotOf({ upstreams: [upstreamAt('monolith')] })
  const url = await adminBefore(() => snapshot)
  const unknown = await ask(url, '/upstreams/search/health')
  expect(unknown.status).toBe(404)
  expect(JSON.parse(unknown.body)).toMatchObject({ names: ['monolith'] })
  snapshot = snapshotOf({ upstreams: [upstreamAt('search', upstream.port)] })
  expect(await ask(url, '/upstreams/search/health')).toMatchObject({ status: 200, body: 'found' })
})

test('nothing but GET and HEAD goes through', async () => {
  const { url, asked } = await lookAt((_, answer) => answer.end())
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const response = await fetch(`${url}/upstreams/monolith/x`, { method, headers: { 'Banyan-Admin': '1' } })
    expect([method, response.status, response.headers.get('allow')]).toEqual([method, 405, 'GET, HEAD'])
  }
  expect((await fetch(`${url}/upstreams/monolith/x`, { method: 'HEAD' })).status).toBe(200)
  expect(asked).toMatchObject([{ method: 'HEAD' }])
})

test('neither cookies nor credentials of the operator go to an upstream, and odd fields break nothing', async () => {
  const { url, asked } = await lookAt((_, answer) => answer.end('ok'))
  const headers = {
    cookie: 'SESSION=mine',
    authorization: 'Bearer mine',
    'banyan-admin': '1',
    expect: '100-continue',
    'keep-alive': 'timeout=5',
    'content-length': '0',
    accept: 'text/plain',
  }
  expect(await ask(url, '/upstreams/monolith/x', headers)).toMatchObject({ status: 200 })
  expect(Object.keys(asked[0]?.fields ?? {}).sort()).toEqual(['accept', 'connection', 'host'])
})

test("no page of another site can send a GET to an upstream through an operator's browser", async () => {
  const { url, asked } = await lookAt((_, answer) => answer.end('done'))
  for (const site of ['cross-site', 'same-site']) {
    expect(await ask(url, '/upstreams/monolith/erase', { 'sec-fetch-site': site })).toMatchObject({ status: 403 })
  }
  expect(asked).toEqual([])
  expect(await ask(url, '/upstreams/monolith/health', { 'sec-fetch-site': 'none' })).toMatchObject({ status: 200 })
})

test('a page of an upstream gets no hold of the admin listener', async () => {
  const { url } = await lookAt((_, answer) => {
    const fields = { 'content-security-policy': 'script-src *', 'set-cookie': 'a=b', 'clear-site-data': '"*"' }
    answer.writeHead(302, { ...fields, location: '/login' }).end('<script>')
  })
  const { fields } = await ask(url, '/upstreams/monolith/page')
  expect(fields['content-security-policy']).toBe("sandbox; default-src 'none'")
  expect(fields).not.toHaveProperty('set-cookie')
  expect(fields).not.toHaveProperty('clear-site-data')
  expect(fields.location).toBe('/upstreams/monolith/login')
})
