// One Host reaches the upstream, and it is the one that the client meant.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startScriptedOrigin } from '../harness/origin.ts'
import { exchangeBytes } from '../harness/wire.ts'

let origin: Awaited<ReturnType<typeof startScriptedOrigin>>
let gateway: TestGateway

beforeAll(async () => {
  origin = await startScriptedOrigin((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
  gateway = await startTestGateway(`upstreams: { monolith: { url: "${origin.url}" } }\nunmatched: monolith\n`)
})

afterAll(async () => {
  await gateway.close()
  await origin.close()
})

async function hostsFor(request: string): Promise<string[]> {
  await exchangeBytes(gateway.port, request)
  return (origin.heads.at(-1) ?? '').split('\r\n').filter((line) => /^host:/i.test(line))
}

test('an absolute target overrides Host, so that nobody can read two', async () => {
  const request = 'GET http://meant.example:81/x HTTP/1.1\r\nhOst: other.example\r\nConnection: close\r\n\r\n'
  expect(await hostsFor(request)).toEqual(['hOst: meant.example:81'])
  expect(origin.heads.at(-1)).toMatch(/^GET http:\/\/meant\.example:81\/x HTTP\/1\.1\r\n/)
})

test('HTTP/1.0 without Host goes out with the name of the target, for HTTP/1.1 needs one', async () => {
  expect(await hostsFor('GET /x HTTP/1.0\r\n\r\n')).toEqual([`Host: 127.0.0.1:${origin.port}`])
})

test('any other request keeps its own', async () => {
  const request = 'GET /x HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n'
  expect(await hostsFor(request)).toEqual(['Host: shop.example'])
})

test('an absolute target is told to the upstream as its Host in every field, and by every rewrite', async () => {
  await gateway.rewrite(`upstreams: { monolith: { url: "${origin.url}" }, moved: { url: "http://localhost:${origin.port}" } }
unmatched: monolith
routes:
  - { name: v1, match: { path: /x/*, host: meant.example }, move: { to: moved, stage: live, rewrite: { path: /v1 } } }
`)
  expect(await hostsFor('GET http://meant.example/x/y HTTP/1.1\r\nHost: other\r\nConnection: close\r\n\r\n')).toEqual([
    'Host: meant.example',
  ])
  expect(origin.heads.at(-1)).toMatch(/^GET \/v1\/y HTTP\/1\.1\r\n/)
  expect(origin.heads.at(-1)).not.toContain('other')
})

test.each(['a,b', 'a:b:c', 'a:80x', '[::1', '::1', ']', '[::1]x', 'a@b', 'a/b', 'a b'])(
  'the Host %s is refused',
  async (host) => {
    const heads = origin.heads.length
    const { received } = await exchangeBytes(gateway.port, `GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    expect(received).toMatch(/^HTTP\/1\.1 400 /)
    expect(origin.heads.length).toBe(heads)
  },
)

test.each(['http:///x', 'http://a@b@c/', 'http://a,b/', 'http://b:x/', 'http://a:b:c/'])(
  'the target %s names no host and is refused',
  async (target) => {
    const heads = origin.heads.length
    const { received } = await exchangeBytes(gateway.port, `GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`)
    expect(received).toMatch(/^HTTP\/1\.1 400 /)
    expect(origin.heads.length).toBe(heads)
  },
)

test.each(['[::1]:80', '[::1]', 'a:', 'a_b.example:8080', "x!$&'()*+;=%20"])('the Host %s passes', async (host) => {
  const request = `GET /x HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`
  expect(await hostsFor(request)).toEqual([`Host: ${host}`])
})
