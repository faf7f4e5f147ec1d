// What no upstream ever sees: heads that two readers may read differently, that are too large, too late, or no HTTP at all.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Origin, startRawOrigin } from '../harness/origin.ts'
import { places } from '../harness/places.ts'
import { exchangeBytes, openWire } from '../harness/wire.ts'

let origin: Origin
let gateway: TestGateway
let upstreamSaw = ''
/** What `/held` answers once it may. */
let release = () => {}

beforeAll(async () => {
  origin = await startRawOrigin((socket) => {
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1')
      upstreamSaw += text
      const answer = () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nanswered')
      if (text.includes('/held')) release = answer
      else if (text.endsWith('\r\n\r\n')) answer()
    })
  })
  gateway = await startTestGateway(`
upstreams: { monolith: { url: "${origin.url}" } }
unmatched: monolith
routes:
  - { name: shop, match: { path: /shop/*, host: shop.example }, upstream: monolith }
`)
})

afterAll(async () => {
  await gateway.close()
  await origin.close()
})

const host = 'Host: h\r\n'
const post = `POST / HTTP/1.1\r\n${host}`
const chunked = `${post}Transfer-Encoding: chunked\r\n\r\n`

/** RFC 9112 §2.2, §3.2, §5.1, §5.2, §6.1, §6.3, §7.1, §11.2 */
const malformed: Record<string, string> = {
  'a space before the colon': `GET / HTTP/1.1\r\n${host}X : 1\r\n\r\n`,
  'a request line that ends with a bare LF': `GET / HTTP/1.1\n${host}\r\n`,
  'a field that ends with a bare LF': 'GET / HTTP/1.1\r\nHost: h\nX: 1\r\n\r\n',
  'a bare CR in a field': `GET / HTTP/1.1\r\n${host}X: a\rb\r\n\r\n`,
  'a folded field': `GET / HTTP/1.1\r\n${host}X: a\r\n b\r\n\r\n`,
  'a fold before the first field': `GET / HTTP/1.1\r\n X: a\r\n${host}\r\n`,
  'a length and chunks': `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'chunks and a length': `${post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  'two lengths': `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
  'a list of lengths': `${post}Content-Length: 5, 6\r\n\r\nhello`,
  'a signed length': `${post}Content-Length: +5\r\n\r\nhello`,
  'a hexadecimal length': `${post}Content-Length: 0x5\r\n\r\nhello`,
  'a coding after chunked': `${post}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
  'a coding that we do not undo': `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
  'chunked twice': `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'a coding that only looks like chunked': `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'chunks in HTTP/1.0': `POST / HTTP/1.0\r\n${host}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  'no Host': 'GET / HTTP/1.1\r\nX: 1\r\n\r\n',
  'two Hosts': `GET / HTTP/1.1\r\n${host}Host: i\r\n\r\n`,
  'a Host that is none': 'GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n',
  'a NUL in a field': `GET / HTTP/1.1\r\n${host}X: a\0b\r\n\r\n`,
  'a NUL in the target': `GET /\0 HTTP/1.1\r\n${host}\r\n`,
  'a field without a colon': `GET / HTTP/1.1\r\n${host}Xab\r\n\r\n`,
  'a field without a name': `GET / HTTP/1.1\r\n${host}: ab\r\n\r\n`,
  'HTTP/0.9': 'GET /\r\n\r\n',
  'HTTP/2.0 in words': `GET / HTTP/2.0\r\n${host}\r\n`,
  'a space in the target': `GET /a b HTTP/1.1\r\n${host}\r\n`,
  'a TLS greeting': '\x16\x03\x01\x02\0\x01\0\r\n\r\n',
}

test.each(Object.entries(malformed))('%s is a malformed request, and nobody else sees it', async (_, bytes) => {
  upstreamSaw = ''
  const { received, isClean } = await exchangeBytes(gateway.port, bytes)
  expect(received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  expect(received.match(/HTTP\/1\.1 /g)).toHaveLength(1)
  expect(received).toContain('"code":"requestMalformed"')
  expect(received).toContain('Connection: close\r\n')
  expect(isClean).toBe(true)
  expect(upstreamSaw).toBe('')
})

test.each([
  ['with 0x', '0x5\r\nhello\r\n0\r\n\r\n'],
  ['with a sign', '+5\r\nhello\r\n0\r\n\r\n'],
  ['that is negative', '-5\r\nhello\r\n0\r\n\r\n'],
  ['before a bare LF', '5\nhello\n0\n\n'],
  ['too small for its chunk', '5\r\nhelloX\r\n0\r\n\r\n'],
  ['that is no number', 'zz\r\nhello\r\n0\r\n\r\n'],
])('a chunk size %s breaks the request, and no upstream gets it whole', async (_, body) => {
  upstreamSaw = ''
  const { received } = await exchangeBytes(gateway.port, `${chunked}${body}`)
  expect(received).toMatch(/^HTTP\/1\.1 400 /)
  expect(received).toMatch(/"code":"request(BodyBroken|Malformed)"/)
  expect(upstreamSaw).not.toContain('\r\n0\r\n\r\n')
})

test.each([
  ['its field', `GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(70_000)}\r\n\r\n`],
  ['its target', `GET /${'x'.repeat(70_000)} HTTP/1.1\r\n${host}\r\n`],
  ['the number of its fields', `GET / HTTP/1.1\r\n${host}${'X-Field: some value\r\n'.repeat(5_000)}\r\n`],
])('a head that is too large for %s is answered 431', async (_, bytes) => {
  upstreamSaw = ''
  const { received } = await exchangeBytes(gateway.port, bytes)
  expect(received).toMatch(/^HTTP\/1\.1 431 /)
  expect(received).toContain('"code":"requestHeadTooLarge"')
  expect(upstreamSaw).toBe('')
})

test('a large head within the limit passes whole', async () => {
  upstreamSaw = ''
  const field = 'x'.repeat(30_000)
  await exchangeBytes(gateway.port, `GET / HTTP/1.1\r\n${host}X: ${field}\r\nConnection: close\r\n\r\n`)
  expect(upstreamSaw).toContain(`X: ${field}\r\n`)
})

test.each([
  ['an unknown method', `FROB / HTTP/1.1\r\n${host}\r\n`],
  ['a method in lower case', `get / HTTP/1.1\r\n${host}\r\n`],
  ['CONNECT', `CONNECT h:443 HTTP/1.1\r\n${host}\r\n`],
])('%s is answered 501', async (_, bytes) => {
  upstreamSaw = ''
  const { received } = await exchangeBytes(gateway.port, bytes)
  expect(received).toMatch(/^HTTP\/1\.1 501 /)
  expect(received).toContain('"code":"methodUnknown"')
  expect(upstreamSaw).toBe('')
})

test('refusals are counted by their code', async () => {
  const series = 'banyan_refused_requests_total{code="methodUnknown"}'
  const before = await gateway.metric(series)
  await exchangeBytes(gateway.port, `FROB / HTTP/1.1\r\n${host}\r\n`)
  expect(await gateway.metric(series)).toBe(before + 1)
})

const follow: [what: string, bytes: string, status: number][] = [
  ['garbage', 'GARB\0AGE\r\n\r\n', 400],
  ['a malformed head', `GET / HTTP/1.1\r\n${host}X : 1\r\n\r\n`, 400],
  ['a head without Host', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['CONNECT', `CONNECT h:443 HTTP/1.1\r\n${host}\r\n`, 501],
  ['half a head and the end', 'GET / HTTP/1.1\r\n', 400],
]

test.each(follow)('a request keeps its answer although %s follows it', async (what, bytes, status) => {
  upstreamSaw = ''
  const wire = await openWire(gateway.port, `GET /held HTTP/1.1\r\n${host}\r\n${bytes}`)
  if (what.endsWith('the end')) wire.socket.destroy()
  else {
    while (!upstreamSaw.includes('/held')) await new Promise((resolve) => setImmediate(resolve))
    release()
    const { received } = await wire.closed()
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', `HTTP/1.1 ${status}`])
    expect(received).toContain('answered')
  }
  expect((await exchangeBytes(gateway.port, `GET /after HTTP/1.0\r\n\r\n`)).received).toContain('answered')
})

test('a request to upgrade behind one under way is answered in its turn, and ends nothing', async () => {
  upstreamSaw = ''
  const upgrade = `GET /ws HTTP/1.1\r\n${host}Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n`
  const wire = await openWire(gateway.port, `GET /held HTTP/1.1\r\n${host}\r\n${upgrade}`)
  while (!upstreamSaw.includes('/held')) await new Promise((resolve) => setImmediate(resolve))
  release()
  const { received } = await wire.closed()
  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200'])
})

test.each(['GET / HTTP/1.1\r\nHost: h\r\nX-Slow: ', 'G'])(
  'a head that does not arrive (%j) is answered 408',
  async (bytes) => {
    const slow = await startTestGateway(`upstreams: { m: { url: "${origin.url}" } }\nunmatched: m\n`, undefined, {
      headTimeoutMs: 50,
    })
    const { received, isClean } = await exchangeBytes(slow.port, bytes)
    expect(received).toMatch(/^HTTP\/1\.1 408 /)
    expect(received).toContain('"code":"requestTimeout"')
    expect(isClean).toBe(true)
    await slow.close()
  },
)

test('a second head that does not arrive is answered 408 on a connection that changed doors too', async () => {
  const slow = await startTestGateway(`upstreams: { m: { url: "${origin.url}" } }\nunmatched: m\n`, undefined, {
    headTimeoutMs: 1_000,
  })
  const first = 'GET http://h/first HTTP/1.1\r\nHost: h\r\n\r\n'
  const { received } = await exchangeBytes(slow.port, `${first}GET /second HTTP/1.1\r\nX-Slow: `)
  expect(received).toMatch(/^HTTP\/1\.1 200 [\s\S]*HTTP\/1\.1 408 /)
  await slow.close()
})

test('a connection opened ahead and never used is ended without a word', async () => {
  const slow = await startTestGateway(
    `upstreams: { m: { url: "${origin.url}" } }\nunmatched: m\n`,
    places.replace('port: 0 }', 'port: 0, keepAlive: 50ms }'),
    { headTimeoutMs: 50 },
  )
  const { received } = await exchangeBytes(slow.port, '')
  expect(received).toBe('')
  await slow.close()
})

test.each([
  ['an unknown host', 'GET /shop/1?q=%zz HTTP/1.1\r\nHost: elsewhere.example'],
  ['an unknown path', 'GET /nowhere//./x HTTP/1.1\r\nHost: shop.example'],
  ['no Host in HTTP/1.0', 'GET /old HTTP/1.0\r\nX: 1'],
  ['an expectation that we do not know', 'GET /expect HTTP/1.1\r\nHost: h\r\nExpect: 200-maybe'],
  ['a whole server', 'OPTIONS * HTTP/1.1\r\nHost: h'],
])('%s is the monolith’s business', async (_, head) => {
  upstreamSaw = ''
  const { received } = await exchangeBytes(gateway.port, `${head}\r\nConnection: close\r\n\r\n`)
  expect(received).toContain('answered')
  expect(upstreamSaw.split(' ').slice(0, 2)).toEqual(head.split(' ').slice(0, 2))
})
