// A request and its answer pass through the gateway unchanged but for what a gateway must change.
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage, type RequestListener } from 'node:http'
import { text } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Origin, startOrigin } from '../harness/origin.ts'
import { exchangeBytes, openWire } from '../harness/wire.ts'

let origin: Origin
let gateway: TestGateway
let onRequest: (request: IncomingMessage) => void = () => {}
const eventGate: { send?: (data: string) => void; gone?: Promise<unknown> } = {}
let secondLegGone: (() => void) | undefined

const pages: Record<string, RequestListener> = {
  '/echo'(request, response) {
    response.setHeader('X-Raw', Buffer.from(JSON.stringify(request.rawHeaders)).toString('base64'))
    response.setHeader('X-Target', Buffer.from(request.url ?? '').toString('base64'))
    request.pipe(response)
  },
  '/cookies'(_, response) {
    response.writeHead(200, ['Set-Cookie', 'a=1', 'SET-COOKIE', 'b=2', 'x-lower', '1', 'X-Upper', '2']).end('ok')
  },
  '/events'(_, response) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
    eventGate.send = (data) => response.write(`data: ${data}\n\n`)
    eventGate.gone = once(response, 'close')
  },
  '/silent'(_, response) {
    response.writeHead(200, { 'Content-Type': 'text/plain' }).flushHeaders()
    response.once('close', () => secondLegGone?.())
  },
  '/hang': (_, response) => response.once('close', () => secondLegGone?.()),
  '/trailer'(_, response) {
    response.writeHead(200, { Trailer: 'X-Sum' }).write('body')
    response.addTrailers([['X-Sum', '42']])
    response.end()
  },
  '/hints': (_, response) => response.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => response.end('late')),
  '/gzip': (_, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync('squeezed')),
  '/304': (_, response) => response.writeHead(304, { ETag: '"x"' }).end(),
  '/204': (_, response) => response.writeHead(204).end(),
  '/reason': (_, response) => response.writeHead(200, 'Fine By Me').end('x'),
  '/redirect': (request, response) =>
    response.writeHead(302, { Location: `http://${request.headers.host}/there` }).end(),
}

beforeAll(async () => {
  const started = await startOrigin((request, response) => {
    onRequest(request)
    const path = request.url?.split('?')[0] ?? ''
    const answer = pages[path]
    if (answer) answer(request, response)
    else response.end(path)
  })
  origin = started
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered) => [...offered].pop() ?? false })
  started.server.on('upgrade', (request, socket, head) => {
    onRequest(request)
    if (request.url === '/refused') {
      socket.end('HTTP/1.1 401 Unauthorized\r\nX-Why: token\r\nContent-Length: 4\r\n\r\nnope')
      return
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      client.on('message', (message, isBinary) => client.send(message, { binary: isBinary }))
    })
  })
  gateway = await startTestGateway(`
upstreams: { monolith: { url: "${origin.url}" } }
unmatched: monolith
`)
})

afterAll(async () => {
  await gateway.close()
  await origin.close()
})

function get(path: string, options: Record<string, unknown> = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(`${gateway.url}${path}`, { agent: false, ...options }, resolve)
      .on('error', reject)
      .end()
  })
}

function rawFieldsOf(response: IncomingMessage): string[] {
  return JSON.parse(Buffer.from(String(response.headers['x-raw']), 'base64').toString())
}

test('fields of the request keep their case, order and number; Host stays the client’s', async () => {
  const sent = ['Host', 'shop.example:8080', 'X-B', '1', 'x-a', '2', 'X-B', '3', 'Cookie', 'SESSION=secret']
  const response = await get('/echo', { headers: sent })
  const raw = rawFieldsOf(response).filter((_, i, all) => /^(x-[ab]|cookie)$/i.test(all[i - (i % 2)] ?? ''))
  expect(raw).toEqual(['X-B', '1', 'x-a', '2', 'X-B', '3', 'Cookie', 'SESSION=secret'])
  const all = rawFieldsOf(response)
  expect(all[all.findIndex((name) => name.toLowerCase() === 'host') + 1]).toBe('shop.example:8080')
})

test('the upstream is told of the client and of us, the client only what the monolith says', async () => {
  const response = await get('/echo', { headers: { 'X-Forwarded-For': '6.6.6.6', 'X-Request-Id': 'given-id-1' } })
  const fields = new Map(
    rawFieldsOf(response).flatMap((name, i, all) => (i % 2 === 0 ? [[name.toLowerCase(), all[i + 1]] as const] : [])),
  )
  expect(fields.get('x-forwarded-for')).toBe('127.0.0.1')
  expect(fields.get('x-forwarded-proto')).toBe('http')
  expect(fields.get('via')).toBe('1.1 banyan')
  expect(fields.get('x-request-id')).toBe('given-id-1')
  expect(response.headers.via).toBeUndefined()
  expect(response.headers['keep-alive']).toBeUndefined()
})

test.each(['/echo?a=%zz&b=//x', '/echo?', '/echo?q=a+b%20c#f'])(
  'the target %s arrives byte for byte',
  async (target) => {
    const { received } = await exchangeBytes(
      gateway.port,
      `GET ${target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`,
    )
    expect(received).toContain(`X-Target: ${Buffer.from(target).toString('base64')}\r\n`)
  },
)

test.each(['//x', '/a/../b', '/%2e%2E/c', '/%zz', '/a%2Fb', '/a;v=1/b', '/a\\b'])(
  'the path %s arrives as it is',
  async (path) => {
    const seen = new Promise<string | undefined>((resolve) => {
      onRequest = (request) => resolve(request.url)
    })
    await exchangeBytes(gateway.port, `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`)
    expect(await seen).toBe(path)
  },
)

test('duplicate Set-Cookie and the case of names come back as sent', async () => {
  const { received } = await exchangeBytes(
    gateway.port,
    'GET /cookies HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
  )
  expect(received).toMatch(/Set-Cookie: a=1\r\nSET-COOKIE: b=2\r\nx-lower: 1\r\nX-Upper: 2\r\n/)
})

test('a body goes up and comes back while it is still being sent', async () => {
  const client = httpRequest(`${gateway.url}/echo`, { method: 'POST', agent: false })
  client.write('first')
  const [response] = (await once(client, 'response')) as [IncomingMessage]
  const [chunk] = (await once(response, 'data')) as [Buffer]
  expect(chunk.toString()).toBe('first')
  client.end(' second')
  expect(await text(response)).toBe(' second')
})

test('a GET may have a body', async () => {
  const { received } = await exchangeBytes(
    gateway.port,
    'GET /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody',
  )
  expect(received).toContain('body')
})

test('each event arrives before the next is sent, and a client that leaves ends the upstream leg', async () => {
  const response = await get('/events')
  for (const word of ['one', 'two', 'three']) {
    eventGate.send?.(word)
    const [chunk] = (await once(response, 'data')) as [Buffer]
    expect(chunk.toString()).toBe(`data: ${word}\n\n`)
  }
  response.destroy()
  await eventGate.gone
})

test('the head arrives although no byte of the body has come', async () => {
  const response = await get('/silent')
  expect(response.statusCode).toBe(200)
  const gone = new Promise<void>((resolve) => {
    secondLegGone = resolve
  })
  response.destroy()
  await gone
})

test('a client that leaves before the head ends the upstream leg', async () => {
  const arrived = new Promise<void>((resolve) => {
    onRequest = () => resolve()
  })
  const gone = new Promise<void>((resolve) => {
    secondLegGone = resolve
  })
  const wire = await openWire(gateway.port, 'GET /hang HTTP/1.1\r\nHost: h\r\n\r\n')
  await arrived
  wire.socket.destroy()
  await gone
})

test('trailers, early hints, reasons and encodings pass', async () => {
  const trailer = await get('/trailer')
  expect(await text(trailer)).toBe('body')
  expect(trailer.rawTrailers).toEqual(['X-Sum', '42'])
  const hinted = httpRequest(`${gateway.url}/hints`, { agent: false }).end()
  // Both may come in one packet: whoever waits for the second only after the first misses it.
  const [[info], [late]] = (await Promise.all([once(hinted, 'information'), once(hinted, 'response')])) as [
    [{ statusCode: number; headers: Record<string, string> }],
    [IncomingMessage],
  ]
  expect([info.statusCode, info.headers.link]).toEqual([103, '</a.css>; rel=preload'])
  expect(await text(late)).toBe('late')
  const gzip = await get('/gzip', { headers: { 'Accept-Encoding': 'gzip' } })
  expect(gzip.headers['content-encoding']).toBe('gzip')
  const reason = await get('/reason')
  expect(reason.statusMessage).toBe('Fine By Me')
})

test('answers without a body have none, and the connection carries the next request', async () => {
  const wire = await openWire(
    gateway.port,
    'HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nGET /304 HTTP/1.1\r\nHost: h\r\n\r\nGET /204 HTTP/1.1\r\nHost: h\r\n\r\nGET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n',
  )
  const { received } = await wire.closed()
  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 304', 'HTTP/1.1 204', 'HTTP/1.1 200'])
  expect(received.endsWith('/last')).toBe(true)
})

test('an absolute redirect names the host that the client asked', async () => {
  const response = await get('/redirect', { headers: { Host: 'shop.example' } })
  expect(response.headers.location).toBe('http://shop.example/there')
})

test('a WebSocket passes with its subprotocol, and closes with its code', async () => {
  const client = new WebSocket(`${gateway.url.replace('http', 'ws')}/live`, ['a.v1', 'b.v1'])
  await once(client, 'open')
  expect(client.protocol).toBe('b.v1')
  const big = Buffer.alloc(1024 * 1024, 7)
  client.send(big)
  const [message] = (await once(client, 'message')) as [Buffer]
  expect(message.equals(big)).toBe(true)
  client.close(4001, 'bye')
  const [code] = await once(client, 'close')
  expect(code).toBe(4001)
})

test('a refused handshake returns the upstream’s own answer', async () => {
  const client = new WebSocket(`${gateway.url.replace('http', 'ws')}/refused`)
  client.on('error', () => {})
  const [, response] = (await once(client, 'unexpected-response')) as [unknown, IncomingMessage]
  expect([response.statusCode, response.headers['x-why'], await text(response)]).toEqual([401, 'token', 'nope'])
})
