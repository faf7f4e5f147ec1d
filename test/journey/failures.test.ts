// Upstreams and clients that fail, over real sockets: who is told what, who is blamed, and that nothing is sent twice.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Origin, startOrigin, startRawOrigin } from '../harness/origin.ts'
import { exchangeBytes, openWire } from '../harness/wire.ts'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.close()
})

/** @param limits those that are to pass; the others never do, however busy the machine is */
async function gatewayTo(url: string, limits = 'firstByte: 5m, idle: 5m'): Promise<TestGateway> {
  const gateway = await startTestGateway(`
upstreams: { monolith: { url: "${url}", ${limits} } }
unmatched: monolith
`)
  open.push(gateway)
  return gateway
}

/** An upstream that does the same with each request once its head is there; it counts them. */
async function failing(act: (socket: Socket) => void): Promise<Origin & { hits(): number }> {
  let hits = 0
  const origin = await startRawOrigin((socket) => {
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      const requests = received.split('\r\n\r\n').length - 1
      if (requests === 0) return
      received = ''
      hits += 1
      act(socket)
    })
  })
  open.push(origin)
  return { ...origin, hits: () => hits }
}

function requestOf(method: string, id: string): string {
  const body = method === 'POST' ? 'Content-Length: 4\r\n\r\nbody' : '\r\n'
  return `${method} /thing HTTP/1.1\r\nHost: h\r\nX-Request-Id: ${id}\r\nConnection: close\r\n${body}`
}

function problemIn(received: string): Record<string, unknown> {
  return JSON.parse(received.slice(received.indexOf('\r\n\r\n') + 4))
}

function attempts(blame: string, code: string): string {
  return `banyan_upstream_attempts_total{upstream="monolith",role="primary",blame="${blame}",code="${code}"}`
}

const beforeTheHead: [what: string, code: string, status: number, act: (socket: Socket) => void][] = [
  ['resets', 'upstreamReset', 502, (socket) => socket.resetAndDestroy()],
  ['closes without an answer', 'upstreamReset', 502, (socket) => socket.end()],
  ['hangs', 'upstreamFirstByteTimeout', 504, () => {}],
  ['speaks no HTTP', 'upstreamMalformed', 502, (socket) => socket.end('220 mail.example ESMTP\r\n\r\n')],
  ['breaks its head off', 'upstreamReset', 502, (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le')],
  [
    'answers with a head too large',
    'upstreamMalformed',
    502,
    (socket) => socket.write(`HTTP/1.1 200 OK\r\nX-Large: ${'x'.repeat(1024 * 1024)}\r\n\r\n`),
  ],
  [
    'answers with two lengths',
    'upstreamMalformed',
    502,
    (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx'),
  ],
]

for (const method of ['GET', 'POST']) {
  test.each(beforeTheHead)(
    `an upstream that %s: ${method} is answered %s, and sent once`,
    async (_, code, status, act) => {
      const origin = await failing(act)
      const gateway = await gatewayTo(origin.url, code === 'upstreamFirstByteTimeout' ? 'firstByte: 150ms' : undefined)
      const { received, isClean } = await exchangeBytes(gateway.port, requestOf(method, 'failing-1'))
      expect(received).toMatch(new RegExp(`^HTTP/1.1 ${status} .*\r\n`))
      expect(received).toContain('Content-Type: application/problem+json')
      expect(problemIn(received)).toMatchObject({ status, code, requestId: 'failing-1' })
      expect(isClean).toBe(true)
      const line = await gateway.line(({ id }) => id === 'failing-1')
      expect(line).toMatchObject({ status, failure: code, upstream: 'monolith', by: 'gateway', outcome: 'complete' })
      expect(await gateway.metric(attempts('upstream', code))).toBe(1)
      expect(origin.hits()).toBe(1)
    },
  )
}

test.each([
  ['refuses', 'upstreamRefused', 502],
  ['cannot be resolved', 'upstreamUnresolved', 502],
] as const)('an upstream that %s is told as %s', async (what, code, status) => {
  const origin = await startRawOrigin(() => {})
  await origin.close()
  const gateway = await gatewayTo(what === 'refuses' ? origin.url : 'http://nowhere.invalid:80')
  for (const method of ['GET', 'POST']) {
    const { received } = await exchangeBytes(gateway.port, requestOf(method, `${method}-refused`))
    expect(problemIn(received)).toMatchObject({ status, code })
  }
  expect(await gateway.metric(attempts('upstream', code))).toBe(2)
})

const length = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf'
const chunks = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'
const afterTheHead: [what: string, code: string, start: string, act: (socket: Socket) => void][] = [
  ['ends before its length', 'upstreamTruncated', length, (socket) => socket.end()],
  ['ends without a last chunk', 'upstreamTruncated', chunks, (socket) => socket.end()],
  ['goes on with a broken chunk', 'upstreamMalformed', chunks, (socket) => socket.write('nonsense\r\n')],
  ['falls silent', 'upstreamIdleTimeout', length, () => {}],
  ['is reset', 'upstreamTruncated', length, (socket) => socket.resetAndDestroy()],
]

for (const method of ['GET', 'POST']) {
  test.each(afterTheHead)(
    `an answer to ${method} that %s is visibly broken for the client`,
    async (_, code, start, act) => {
      const begun = Promise.withResolvers<Socket>()
      const origin = await failing((socket) => socket.write(start, () => begun.resolve(socket)))
      const gateway = await gatewayTo(origin.url, code === 'upstreamIdleTimeout' ? 'idle: 150ms' : undefined)
      const wire = await openWire(gateway.port, requestOf(method, 'half-answer'))
      await wire.until(/half/)
      act(await begun.promise)
      const { received } = await wire.closed()
      // Neither the promised length nor a last chunk (RFC 9112 §8).
      const body = received.slice(received.indexOf('\r\n\r\n') + 4)
      expect(body).toMatch(/^(4\r\n)?half(\r\n)?$/)
      const line = await gateway.line(({ id }) => id === 'half-answer')
      expect(line).toMatchObject({ status: 200, outcome: 'upstreamBroke', failure: code })
      expect(await gateway.metric(attempts('upstream', code))).toBe(1)
      expect(origin.hits()).toBe(1)
    },
  )
}

test('a client that hangs up before its answer is to blame itself', async () => {
  const arrived = Promise.withResolvers<void>()
  const origin = await failing(() => arrived.resolve())
  const gateway = await gatewayTo(origin.url, 'firstByte: 30s')
  const wire = await openWire(gateway.port, requestOf('GET', 'left-early'))
  await arrived.promise
  wire.socket.destroy()
  const line = await gateway.line(({ id }) => id === 'left-early')
  expect(line).toMatchObject({ status: 499, failure: 'clientGone', outcome: 'clientGone' })
  expect(await gateway.metric(attempts('client', 'clientGone'))).toBe(1)
  expect(origin.hits()).toBe(1)
})

test('an upload that stalls is answered 408, and its client is to blame', async () => {
  const origin = await failing(() => {})
  const gateway = await gatewayTo(origin.url, 'idle: 150ms, firstByte: 30s')
  const { received } = await exchangeBytes(
    gateway.port,
    'POST / HTTP/1.1\r\nHost: h\r\nX-Request-Id: slow-upload\r\nContent-Length: 100\r\n\r\nhalf',
  )
  expect(received).toMatch(/^HTTP\/1\.1 408 /)
  expect(received).toContain('Connection: close')
  expect(problemIn(received)).toMatchObject({ code: 'requestTimeout' })
  expect(await gateway.metric(attempts('client', 'requestTimeout'))).toBe(1)
})

test.each([
  ['with a length', 'Content-Length: 100\r\n\r\nhalf'],
  ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n'],
])('an upload %s that breaks off breaks off at the upstream too', async (_, rest) => {
  const arrived = Promise.withResolvers<Socket>()
  let received = ''
  const origin = await startRawOrigin((socket) => {
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (received.includes('half')) arrived.resolve(socket)
    })
  })
  open.push(origin)
  const gateway = await gatewayTo(origin.url, 'idle: 30s')
  const wire = await openWire(gateway.port, `POST / HTTP/1.1\r\nHost: h\r\nX-Request-Id: broken-up\r\n${rest}`)
  const upstream = await arrived.promise
  wire.socket.destroy()
  await Promise.race([once(upstream, 'end'), once(upstream, 'close')])
  expect(received.endsWith('half') || received.endsWith('half\r\n')).toBe(true)
  expect(await gateway.line(({ id }) => id === 'broken-up')).toMatchObject({ outcome: 'clientGone' })
  expect(await gateway.metric(attempts('client', 'clientGone'))).toBe(1)
})

test('an early answer reaches a client that is still sending', async () => {
  const origin = await startOrigin((_, response) => {
    response.writeHead(413, { 'Content-Length': '9' }).end('too large')
  })
  open.push(origin)
  const gateway = await gatewayTo(origin.url, 'idle: 30s')
  const wire = await openWire(gateway.port, 'POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 50000000\r\n\r\n')
  wire.socket.write(Buffer.alloc(1_000_000))
  const received = await wire.until(/too large/)
  expect(received).toMatch(/^HTTP\/1\.1 413 /)
  wire.socket.end(Buffer.alloc(49_000_000))
  wire.socket.destroy()
})

test('a connection goes on after a failure of the upstream', async () => {
  let isBroken = true
  const origin = await failing((socket) => {
    if (isBroken) socket.destroy()
    else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  })
  const gateway = await gatewayTo(origin.url)
  const wire = await openWire(gateway.port, 'GET /1 HTTP/1.1\r\nHost: h\r\n\r\n')
  await wire.until(/upstreamReset.*\n/)
  isBroken = false
  wire.socket.write('GET /2 HTTP/1.1\r\nHost: h\r\n\r\n')
  expect(await wire.until(/ok$/)).toContain('HTTP/1.1 200 OK')
  wire.socket.destroy()
})
