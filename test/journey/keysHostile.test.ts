// Keys of ours, and limits by them, in hands that mean harm or merely make the most of them.
import type { IncomingMessage } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import type { TestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'
import { openWire } from '../harness/wire.ts'
import { order } from './fleet.ts'
import { newStateDir, startBetween } from './sides.ts'

interface Site {
  readonly gateway: TestGateway
  readonly heads: IncomingMessage[]
}

async function start(route: string, top = ''): Promise<Site> {
  const heads: IncomingMessage[] = []
  const origin = await startOrigin((request, response) => {
    heads.push(request)
    response.setHeader('X-Tokens-Used', '10')
    response.end('here')
  })
  onTestFinished(origin.close)
  const yaml = `
upstreams: { origin: { url: "${origin.url}" } }
unmatched: origin
${top}
routes:
  - { name: search, match: { path: "/search/*" }, upstream: origin, ${route} }
`
  return { gateway: await startBetween(yaml, await newStateDir()), heads }
}

async function issue(gateway: TestGateway, about: object = {}) {
  const { body } = await order(gateway, 'keys', { owner: 'acme', ...about })
  return { key: String(body.key), id: String(body.id) }
}

const ask = ({ url }: TestGateway, fields: Record<string, string>, method = 'GET') =>
  fetch(`${url}/search/x`, { method, headers: fields })
const statusesOf = async (times: number, asking: () => Promise<Response>) => {
  const statuses = []
  for (let i = 0; i < times; i += 1) statuses.push((await asking()).status)
  return statuses
}

test('a key with a rate of its own has that one, and not the rule’s', async () => {
  const { gateway } = await start('auth: { any: [apiKey] }, limit: { rate: 1/h, per: key }')
  const [rich, plain] = [await issue(gateway, { rate: '3/h' }), await issue(gateway)]
  expect(await statusesOf(4, () => ask(gateway, { 'X-Api-Key': rich.key }))).toEqual([200, 200, 200, 429])
  expect(await statusesOf(2, () => ask(gateway, { 'X-Api-Key': plain.key }))).toEqual([200, 429])
})

test('a rotation gives nobody a second budget', async () => {
  const { gateway } = await start('auth: { any: [apiKey] }, limit: { rate: 2/h, per: key }')
  const old = await issue(gateway)
  expect(await statusesOf(2, () => ask(gateway, { 'X-Api-Key': old.key }))).toEqual([200, 200])
  const { body } = await order(gateway, `keys/${old.id}/rotate`)
  expect((await ask(gateway, { 'X-Api-Key': String(body.key) })).status).toBe(429)
})

test('two quotas by the same are two budgets: of requests, and of what answers cost', async () => {
  const { gateway } = await start(
    'limit: [{ quota: 3/d, per: address }, { quota: 1000/d, per: address, cost: { field: X-Tokens-Used, reserve: 1 } }]',
  )
  expect(await statusesOf(4, () => ask(gateway, {}))).toEqual([200, 200, 200, 429])
})

test('a key goes no further with a preflight, nor where another kind of credential is asked for', async () => {
  const { gateway, heads } = await start(
    'auth: { any: [session], mode: report }',
    'sessionCookie: S\nsessionCheck: { upstream: origin, path: /me, subject: $.id }',
  )
  const { key } = await issue(gateway)
  const preflight = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' }
  await ask(gateway, { ...preflight, 'X-Api-Key': key }, 'OPTIONS')
  await ask(gateway, { Authorization: `Bearer ${key}` })
  expect(heads).toHaveLength(2)
  expect(JSON.stringify(heads.map(({ rawHeaders }) => rawHeaders))).not.toContain(key)
})

test.each([
  ['a body', 'Content-Length: 3\r\n\r\nabc'],
  ['a chunked body', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
  ['another method in a field', 'X-HTTP-Method-Override: DELETE\r\n\r\n'],
  ['an upgrade', 'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
])('what looks like a preflight and has %s is none', async (_what, rest) => {
  const { gateway, heads } = await start('auth: { any: [apiKey] }')
  const head =
    'OPTIONS /search/x HTTP/1.1\r\nHost: h\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\n'
  const wire = await openWire(gateway.port, head + rest)
  expect(await wire.until(/\r\n\r\n/)).toMatch(/^HTTP\/1.1 401 /)
  wire.socket.destroy()
  expect(heads).toEqual([])
})
