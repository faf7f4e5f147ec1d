// Who may use a route: with a token of an issuer, and without.
import { Agent, request } from 'node:http'
import { text as textOf } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { openWire } from '../harness/wire.ts'
import { ask, type CountedOrigin, counting, startCounted } from './caching.ts'
import {
  authMetric,
  bearer,
  type Guarding,
  makeKey,
  publish,
  type SigningKey,
  startGuarding,
  tokenBy,
} from './issuer.ts'

interface World {
  readonly key: SigningKey
  readonly origin: CountedOrigin
  readonly gateway: Awaited<ReturnType<typeof startGuarding>>
}

async function start(guarding: Partial<Guarding> = {}): Promise<World> {
  const key = await makeKey('one')
  const origin = await startCounted(counting({}))
  const { file } = await publish([key])
  return { key, origin, gateway: await startGuarding({ url: origin.url, jwks: file, ...guarding }) }
}

test('a token of an issuer opens a route, goes on as it came, and costs one signature check however often it comes', async () => {
  const { key, origin, gateway } = await start()
  const token = await tokenBy(key)
  for (let i = 0; i < 3; i += 1) expect((await ask(`${gateway.url}/mine/x`, bearer(token))).status).toBe(200)
  expect(origin.asked[2]?.headers.authorization).toBe(`Bearer ${token}`)
  expect(await gateway.metric('banyan_token_signature_checks_total')).toBe(1)
  expect(await authMetric(gateway, 'jwt', 'passed')).toBe(3)
})

test('without one it is 401 with a challenge (RFC 6750 §3), and the upstream is not asked', async () => {
  const { origin, gateway } = await start()
  const { status, fields, text } = await ask(`${gateway.url}/mine/x`)
  expect(status).toBe(401)
  expect(fields['www-authenticate']).toBe('Bearer realm="api"')
  expect(fields['content-type']).toBe('application/problem+json')
  expect(JSON.parse(text)).toMatchObject({ status: 401, code: 'unauthenticated' })
  expect(origin.asked).toEqual([])
  expect(await authMetric(gateway, 'none', 'missing')).toBe(1)
})

test('a connection whose request is refused is good for the next one', async () => {
  const { key, gateway } = await start()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const statusOf = (headers: Record<string, string>) =>
    new Promise<[status: number | undefined, isReused: boolean]>((resolve, reject) => {
      const asked = request(`${gateway.url}/mine/x`, { agent, headers }, (response) => {
        void textOf(response).then(() => resolve([response.statusCode, asked.reusedSocket]))
      })
      asked.on('error', reject).end()
    })
  expect(await statusOf({})).toEqual([401, false])
  expect(await statusOf(bearer(await tokenBy(key)))).toEqual([200, true])
  agent.destroy()
})

test('a handshake is refused like any other request, and goes on with a token', async () => {
  const { key, origin, gateway } = await start()
  const head =
    'GET /mine/ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'
  const refused = await openWire(gateway.port, `${head}\r\n`)
  expect(await refused.until(/\r\n\r\n/)).toMatch(/^HTTP\/1.1 401 .*WWW-Authenticate: Bearer/is)
  refused.socket.destroy()
  expect(origin.asked).toEqual([])
  const taken = await openWire(gateway.port, `${head}Authorization: Bearer ${await tokenBy(key)}\r\n\r\n`)
  // The origin knows no WebSockets, and its own answer is passed on.
  await taken.until(/^HTTP\/1.1 200 /)
  taken.socket.destroy()
})

test('a scope that it lacks is told by its name, with 403', async () => {
  const { key, gateway } = await start({ auth: '{ any: [jwt], scopes: ["search:read", admin] }' })
  const { status, fields, text } = await ask(
    `${gateway.url}/mine/x`,
    bearer(await tokenBy(key, { claims: { scope: 'search:read profile' } })),
  )
  expect(status).toBe(403)
  expect(fields['www-authenticate']).toBe('Bearer realm="api", error="insufficient_scope", scope="search:read admin"')
  expect(JSON.parse(text)).toMatchObject({ code: 'forbidden' })
  const granted = bearer(await tokenBy(key, { claims: { scope: ['admin', 'search:read'] } }))
  expect((await ask(`${gateway.url}/mine/x`, granted)).status).toBe(200)
})

test('a route without auth passes whatever credentials on untouched', async () => {
  const { origin, gateway } = await start({
    routes: '  - { name: plain, match: { path: /plain }, upstream: origin, auth: none }',
  })
  const fields = { Authorization: 'Bearer byn_live_x', 'X-Api-Key': 'byn_live_y' }
  for (const path of ['/other', '/plain']) expect((await ask(gateway.url + path, fields)).status).toBe(200)
  for (const { headers } of origin.asked)
    expect(headers).toMatchObject({ authorization: 'Bearer byn_live_x', 'x-api-key': 'byn_live_y' })
})

test('a CORS preflight passes; what only looks like one does not', async () => {
  const { origin, gateway } = await start()
  const preflight = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST' }
  expect((await ask(`${gateway.url}/mine/x`, preflight, 'OPTIONS')).status).toBe(200)
  expect((await ask(`${gateway.url}/mine/x`, preflight, 'GET')).status).toBe(401)
  expect((await ask(`${gateway.url}/mine/x`, { Origin: 'https://app.example' }, 'OPTIONS')).status).toBe(401)
  expect(origin.asked).toHaveLength(1)
})

test('in report mode all get through, and what would be refused is counted, and told once for each address', async () => {
  const { key, origin, gateway } = await start({ auth: '{ any: [jwt], mode: report }' })
  expect((await ask(`${gateway.url}/mine/x`)).status).toBe(200)
  for (let i = 0; i < 3; i += 1) expect((await ask(`${gateway.url}/mine/x`, bearer('x.y.z'))).status).toBe(200)
  expect((await ask(`${gateway.url}/mine/x`, bearer(await tokenBy(key)))).status).toBe(200)
  expect(origin.asked).toHaveLength(5)
  expect(origin.asked[1]?.headers.authorization).toBe('Bearer x.y.z')
  expect(await authMetric(gateway, 'none', 'missing', 'report')).toBe(1)
  expect(await authMetric(gateway, 'jwt', 'malformed', 'report')).toBe(3)
  expect(await authMetric(gateway, 'jwt', 'passed', 'report')).toBe(1)
  const told = (await gateway.log()).filter(({ reason }) => String(reason).startsWith('would be refused'))
  expect(told.map(({ reason }) => reason)).toEqual(['would be refused: jwt: malformed'])
})

test.each([
  ['/open/..%2Fmine/x', 'on the way through another route'],
  ['/MINE/x', 'in capitals'],
  ['//mine/x', 'with a slash too many'],
  ['/mine;v=1/x', 'with a parameter'],
])('the path of a route with auth is guarded as %s, %s, too', async (path) => {
  const { key, origin, gateway } = await start({
    routes: '  - { name: open, match: { path: /open/* }, upstream: origin }',
  })
  expect((await ask(gateway.url + path)).status).toBe(401)
  expect(origin.asked).toEqual([])
  expect((await ask(gateway.url + path, bearer(await tokenBy(key)))).status).toBe(200)
  expect(origin.asked[0]?.url).toBe(path)
})

test('one client who fails too often closes his address to what is new, and to nobody who is known', async () => {
  const { key, gateway } = await start()
  const [known, fresh] = [await tokenBy(key), await tokenBy(key, { claims: { sub: 'bob' } })]
  expect((await ask(`${gateway.url}/mine/x`, bearer(known))).status).toBe(200)
  const forged = fresh.replace(/[^.]*$/, Buffer.alloc(64).toString('base64url'))
  let refused = await ask(`${gateway.url}/mine/x`, bearer(forged))
  for (let i = 0; refused.status === 401 && i < 100; i += 1)
    refused = await ask(`${gateway.url}/mine/x`, bearer(forged))
  const checked = await gateway.metric('banyan_token_signature_checks_total')
  expect([refused.status, JSON.parse(refused.text).code]).toEqual([429, 'screened'])
  expect(Number(refused.fields['retry-after'])).toBeGreaterThanOrEqual(1)
  expect((await ask(`${gateway.url}/mine/x`, bearer(forged))).status).toBe(429)
  expect((await ask(`${gateway.url}/mine/x`, bearer(fresh))).status).toBe(429)
  expect(await gateway.metric('banyan_token_signature_checks_total')).toBe(checked)
  expect((await ask(`${gateway.url}/mine/x`, bearer(known))).status).toBe(200)
  expect((await ask(`${gateway.url}/mine/x`)).status).toBe(401)
  expect((await ask(`${gateway.url}/other`, bearer(forged))).status).toBe(200)
})

test('without the keys of its issuer nobody is told that his token is bad: 503, and a hint says why', async () => {
  const { key, gateway } = await start({ jwks: '/nonexistent/jwks.json' })
  const { status, fields, text } = await ask(`${gateway.url}/mine/x`, bearer(await tokenBy(key)))
  expect([status, JSON.parse(text).code, fields['retry-after']]).toEqual([503, 'identityUnknown', '1'])
  expect(fields['www-authenticate']).toBeUndefined()
  const { hints } = (await (await fetch(`${gateway.adminUrl}/status`)).json()) as { hints: string[] }
  expect(hints.join()).toContain('gives no keys')
})
