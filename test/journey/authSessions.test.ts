// Sessions of the monolith that open new services, as the monolith says whose they are.
import type { RequestListener } from 'node:http'
import { expect, test } from 'vitest'
import { ask, counting, startCounted, startGateway } from './caching.ts'
import { authMetric } from './issuer.ts'

/** Knows the sessions in `users`, and answers as a framework does that has a login. */
function knowing(users: Map<string, string>): RequestListener {
  return (request, response) => {
    const user = users.get(/SESSION=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '')
    if (user === 'broken') response.writeHead(500).end()
    else if (user === undefined) response.writeHead(302, { Location: '/login' }).end()
    else
      response
        .setHeader('Set-Cookie', 'SESSION=other')
        .end(JSON.stringify({ user: user === 'guest' ? null : { id: user } }))
  }
}

async function start(cache = '10s') {
  const users = new Map([
    ['a', 'alice'],
    ['g', 'guest'],
    ['x', 'broken'],
  ])
  const monolith = await startCounted(knowing(users))
  const service = await startCounted(counting({}))
  const gateway = await startGateway(`
paths: { case: exact }
sessionCookie: SESSION
sessionCheck: { upstream: monolith, path: /api/me, subject: $.user.id, cache: ${cache} }
upstreams: { monolith: { url: "${monolith.url}" }, service: { url: "${service.url}" } }
unmatched: monolith
routes:
  - { name: mine, match: { path: /mine/* }, upstream: service, auth: { any: [session, apiKey] } }
`)
  const visit = (session: string) => ask(`${gateway.url}/mine/x`, { Cookie: `theme=dark; SESSION=${session}` })
  return { users, monolith, service, gateway, visit }
}

test('a login at the monolith opens a new service; it is asked once, with that cookie and no other', async () => {
  const { monolith, service, gateway, visit } = await start()
  const { status, fields } = await visit('a')
  expect([status, fields['set-cookie']]).toEqual([200, undefined])
  expect((await Promise.all([visit('a'), visit('a')])).map((told) => told.status)).toEqual([200, 200])
  expect(monolith.asked.map(({ method, url, headers }) => [method, url, headers.cookie])).toEqual([
    ['GET', '/api/me', 'SESSION=a'],
  ])
  expect(monolith.asked[0]?.headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', accept: 'application/json' })
  expect(service.asked[0]?.headers.cookie).toBe('theme=dark; SESSION=a')
  expect(await authMetric(gateway, 'session', 'passed')).toBe(3)
})

test('many who come at once with one session have it asked for once', async () => {
  const { monolith, visit } = await start()
  const told = await Promise.all(Array.from({ length: 20 }, () => visit('a')))
  expect(told.every(({ status }) => status === 200)).toBe(true)
  expect(monolith.asked).toHaveLength(1)
})

test('one that nobody has, or that is nobody’s, is refused; one of which nothing is known now is not', async () => {
  const { gateway, visit } = await start()
  expect((await visit('unknown')).status).toBe(401)
  expect((await visit('g')).status).toBe(401)
  expect((await visit('x')).status).toBe(503)
  expect((await ask(`${gateway.url}/mine/x`)).status).toBe(401)
  expect(await authMetric(gateway, 'session', 'unknown')).toBe(2)
  expect(await authMetric(gateway, 'session', 'unavailable')).toBe(1)
})

test('a logout is heard of once what is remembered has run out', async () => {
  const { users, monolith, visit } = await start('0s')
  expect((await visit('a')).status).toBe(200)
  users.delete('a')
  expect((await visit('a')).status).toBe(401)
  expect(monolith.asked).toHaveLength(2)
})
