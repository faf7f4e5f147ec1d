// What the log says of a journey, and what it never says.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { startScriptedOrigin } from '../harness/origin.ts'
import { places } from '../harness/places.ts'
import { exchangeBytes } from '../harness/wire.ts'

let origin: Awaited<ReturnType<typeof startScriptedOrigin>>

beforeAll(async () => {
  origin = await startScriptedOrigin((socket, head) => {
    if (head.includes('/broken')) socket.end('HTTP/1.1 Secret-in-garbage\r\n\r\n')
    else socket.write('HTTP/1.1 200 OK\r\nSet-Cookie: s=Secret-cookie\r\nContent-Length: 11\r\n\r\nSecret-body')
  })
})

afterAll(() => origin.close())

const start = (more = '', header = places) =>
  startTestGateway(`${more}\nupstreams: { m: { url: "${origin.url}" } }\nunmatched: m\n`, header)

const ask = (port: number, target: string, fields = '') =>
  exchangeBytes(port, `GET ${target} HTTP/1.1\r\nHost: h\r\n${fields}Connection: close\r\n\r\n`)

test('no secret of a request or an answer gets into the log', async () => {
  const gateway = await start()
  const secrets = 'Authorization: Bearer Secret-token\r\nCookie: SESSION=Secret-session\r\nX-Api-Key: Secret-key\r\n'
  for (const target of [
    '/ok?token=Secret-query#Secret-fragment',
    '/ok;jsessionid=Secret-parameter',
    'http://user:Secret-password@h/ok?q=Secret-query',
    '/broken?token=Secret-query',
  ])
    await ask(gateway.port, target, secrets)
  await exchangeBytes(
    gateway.port,
    `POST /ok HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 16\r\n\r\nSecret-body\r\n\r\n\r`,
  )
  await exchangeBytes(gateway.port, `GET /Secret-malformed?q=1 HTTP/1.1\r\n${secrets}X : Secret-field\r\n\r\n`)
  await gateway.line(({ path }) => path === '/broken')
  const text = await readFile(join(gateway.folder, 'out.log'), 'utf8')
  expect(text.match(/"msg":"exchange"/g)?.length).toBeGreaterThanOrEqual(4)
  expect(text).not.toContain('Secret-')
  await gateway.close()
})

test.each([
  ['sane-id.1_2', true],
  ['short', false],
  ['with space in it', false],
  ['x'.repeat(129), false],
  ['"},{"forged":"', false],
])('the request id %j is kept: %s, and is the same in log, upstream and problem', async (given, isKept) => {
  const gateway = await start()
  const { received } = await ask(gateway.port, '/broken', `X-Request-Id: ${given}\r\n`)
  const { requestId } = JSON.parse(received.slice(received.indexOf('\r\n\r\n') + 4)) as { requestId: string }
  expect(requestId === given).toBe(isKept)
  expect(requestId).toMatch(/^[A-Za-z0-9._-]{8,128}$/)
  expect(received).toContain(`X-Request-Id: ${requestId}\r\n`)
  expect(origin.heads.at(-1)).toContain(`X-Request-Id: ${requestId}\r\n`)
  expect(await gateway.line(({ id }) => id === requestId)).toMatchObject({ path: '/broken', status: 502 })
  await gateway.close()
})

test('accessLog: off writes no line per request, and takes effect with an edit', async () => {
  const gateway = await start('accessLog: off')
  await ask(gateway.port, '/silent')
  await gateway.rewrite(`upstreams: { m: { url: "${origin.url}" } }\nunmatched: m\n`)
  await ask(gateway.port, '/heard')
  await gateway.line(({ path }) => path === '/heard')
  expect((await gateway.log()).filter(({ path }) => path === '/silent')).toEqual([])
  await gateway.close()
})

test('the client in the log is whom a trusted proxy names, and nobody else', async () => {
  const trusting = await start('', places.replace('port: 0 }', 'port: 0, trustedProxies: [127.0.0.1] }'))
  await ask(trusting.port, '/through', 'X-Forwarded-For: 6.6.6.6, 203.0.113.9\r\n')
  expect(await trusting.line(({ path }) => path === '/through')).toMatchObject({ client: '203.0.113.9' })
  expect(origin.heads.at(-1)).toContain('X-Forwarded-For: 6.6.6.6, 203.0.113.9, 127.0.0.1\r\n')
  await trusting.close()

  const wary = await start()
  // The absolute form is for the general door: it has been told already, too.
  for (const target of ['/wary0', 'http://h/wary1', '/wary2']) {
    await ask(wary.port, target, 'X-Forwarded-For: 203.0.113.9\r\n')
  }
  expect(await wary.line(({ path }) => path === '/wary2')).toMatchObject({ client: '127.0.0.1' })
  expect(origin.heads.at(-1)).toContain('X-Forwarded-For: 127.0.0.1\r\n')
  const hints = (await wary.log()).filter(({ msg }) => String(msg).includes('trustedProxies'))
  expect(hints).toHaveLength(1)
  expect(hints[0]).toMatchObject({ level: 'warn', peer: '127.0.0.1' })
  await wary.close()
})
