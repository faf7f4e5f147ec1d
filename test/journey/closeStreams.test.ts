// When a move goes back, what lasts of the new side is ended cleanly within `closeStreams`; nothing else is.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { TestGateway } from '../harness/gateway.ts'
import { type Origin, startOrigin } from '../harness/origin.ts'
import { openWire } from '../harness/wire.ts'
import { ask, identityIn, newStateDir, session, startBetween } from './sides.ts'

interface Side extends Origin {
  /** Answers under way, by the path that was asked for. */
  readonly open: Map<string, ServerResponse>
  /** The codes with which its WebSockets were closed. */
  readonly closed: number[]
}

let old: Side
let candidate: Side

beforeAll(async () => {
  old = await startSide('old')
  candidate = await startSide('new')
})
afterAll(async () => {
  await old.close()
  await candidate.close()
})
beforeEach(() => {
  for (const side of [old, candidate]) {
    side.open.clear()
    side.closed.length = 0
  }
})

async function startSide(name: string): Promise<Side> {
  const open = new Map<string, ServerResponse>()
  const closed: number[] = []
  const origin = await startOrigin((request, response) => {
    const { url = '', headers } = request
    open.set(`${url} ${headers.cookie}`, response)
    if (url.startsWith('/x/events')) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write(`data: ${name}\n\n`)
    } else if (url.startsWith('/x/sized')) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Content-Length': '8' })
      response.write('12\n\n')
    } else if (url.startsWith('/x/download')) response.write('begun\n\n')
    else if (!url.startsWith('/x/late')) response.end(name)
  })
  const sockets = new WebSocketServer({ server: origin.server })
  sockets.on('connection', (socket) => {
    socket.on('message', (message) => socket.send(`${name} ${message}`))
    socket.on('close', (code) => closed.push(code))
  })
  return { ...origin, open, closed }
}

/** @param move what of it differs between tests */
function yaml(move = 'stage: canary, share: 50%', closeStreams = '1s'): string {
  return `
accessLog: off
sessionCookie: SESSION
upstreams: { old: { url: "${old.url}" }, new: { url: "${candidate.url}" } }
unmatched: old
routes:
  - name: x
    match: { path: /x/*, methods: [GET, HEAD] }
    move: { to: new, ${move}, closeStreams: ${closeStreams} }
`
}

const inside = (nth: number) => identityIn('x', [0, 5_000], nth)
const outside = (nth: number) => identityIn('x', [5_000, 10_000], nth)

async function rollBack({ adminUrl }: TestGateway): Promise<void> {
  const headers = { 'Banyan-Admin': 'tester', 'Content-Type': 'application/json' }
  const response = await fetch(`${adminUrl}/rollouts/x/rollback`, { method: 'POST', headers, body: '{}' })
  expect(response.status).toBe(200)
}

interface Client {
  readonly socket: WebSocket
  readonly code: Promise<number>
}

async function openSocket({ url }: TestGateway, identity: string): Promise<Client> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/x/live`, { headers: session(identity) })
  const code = once(socket, 'close').then(([closedWith]) => Number(closedWith))
  await once(socket, 'open')
  return { socket, code }
}

async function echo({ socket }: Client): Promise<string> {
  socket.send('?')
  const [message] = (await once(socket, 'message')) as [Buffer]
  return message.toString()
}

interface Reading {
  readonly response: IncomingMessage
  text(): string
  until(pattern: RegExp): Promise<void>
  /** Whether the answer came to its proper end. */
  readonly whole: Promise<boolean>
}

async function read({ url }: TestGateway, path: string, identity: string): Promise<Reading> {
  const request = httpRequest(url + path, { agent: false, headers: session(identity) }).end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  let text = ''
  response.setEncoding('latin1').on('data', (piece: string) => {
    text += piece
  })
  response.on('error', () => {})
  return {
    response,
    text: () => text,
    async until(pattern) {
      while (!pattern.test(text)) await once(response, 'data')
    },
    whole: new Promise((resolve) => response.once('close', () => resolve(response.complete))),
  }
}

async function events(gateway: TestGateway, identity: string, path = '/x/events'): Promise<Reading> {
  const stream = await read(gateway, path, identity)
  await stream.until(/\n\n/)
  return stream
}

function several<T>(count: number, make: (nth: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, nth) => make(nth)))
}

function answerOf(side: Side, path: string, identity: string): ServerResponse {
  const response = side.open.get(`${path} SESSION=${identity}`)
  if (!response) throw new Error(`nobody has asked for ${path}`)
  return response
}

describe('after a rollback', () => {
  test('every WebSocket of the new side is closed with 1001, and none of the old side', async () => {
    const gateway = await startBetween(yaml())
    const gone = await several(6, (nth) => openSocket(gateway, inside(nth)))
    const kept = await several(3, (nth) => openSocket(gateway, outside(nth)))
    expect(await Promise.all(gone.map(echo))).toEqual(Array(6).fill('new ?'))
    expect(await gateway.metric('banyan_rollout_streams{rollout="x"}')).toBe(6)

    await rollBack(gateway)
    expect(await Promise.all(gone.map(({ code }) => code))).toEqual(Array(6).fill(1001))
    expect(await Promise.all(kept.map(echo))).toEqual(Array(3).fill('old ?'))
    // The clients' own Close has gone on to the side that was left.
    expect(candidate.closed).toEqual(Array(6).fill(1001))
    expect(await echo(await openSocket(gateway, inside(0)))).toBe('old ?')
    for (const { socket } of kept) socket.terminate()
  })

  test('every event stream of the new side ends whole, and its client goes on with the old side on the same connection', async () => {
    const gateway = await startBetween(yaml())
    const gone = await several(6, (nth) => events(gateway, inside(nth)))
    const kept = await events(gateway, outside(0))
    const head = `GET /x/events HTTP/1.1\r\nHost: h\r\nCookie: SESSION=${inside(7)}\r\n\r\n`
    const wire = await openWire(gateway.port, head)
    await wire.until(/data: new\n\n/)

    await rollBack(gateway)
    expect(await Promise.all(gone.map(({ whole }) => whole))).toEqual(Array(6).fill(true))
    expect(gone.map((stream) => stream.text())).toEqual(Array(6).fill('data: new\n\n'))
    await wire.until(/\r\n0\r\n\r\n$/)
    wire.socket.write(head)
    await wire.until(/data: old\n\n/)

    answerOf(old, '/x/events', outside(0)).write('data: still here\n\n')
    await kept.until(/data: still here\n\n$/)
    kept.response.destroy()
    wire.socket.destroy()
  })

  test('they do not all go in one moment, and whoever still has time holds up no end of the gateway', async () => {
    const gateway = await startBetween(yaml(undefined, '1h'))
    const clients = await several(3, (nth) => openSocket(gateway, inside(nth)))
    await rollBack(gateway)
    expect(await Promise.race(clients.map(({ code }) => code))).toBe(1001)
    const still = clients.filter(({ socket }) => socket.readyState === WebSocket.OPEN)
    expect(await Promise.all(still.map(echo))).toEqual(['new ?', 'new ?'])
    await gateway.close()
    expect(await Promise.all(still.map(({ code }) => code))).toEqual([1006, 1006])
  })

  test('the event under way is still passed on, and nothing behind it', async () => {
    const gateway = await startBetween(yaml(undefined, '1h'))
    const stream = await events(gateway, inside(0))
    const source = answerOf(candidate, '/x/events', inside(0))
    source.write('data: ha')
    await stream.until(/data: ha$/)
    await rollBack(gateway)
    source.write('lf\n\ndata: next\n\n')
    expect(await stream.whole).toBe(true)
    expect(stream.text()).toBe('data: new\n\ndata: half\n\n')
  })

  test('an event that never ends, and a client that says no goodbye, are not waited for', async () => {
    const gateway = await startBetween(yaml())
    const stream = await events(gateway, inside(0))
    answerOf(candidate, '/x/events', inside(0)).write('data: ha')
    await stream.until(/data: ha$/)
    const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13'
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='
    const cookie = `Cookie: SESSION=${inside(1)}`
    const wire = await openWire(
      gateway.port,
      `GET /x/live HTTP/1.1\r\nHost: h\r\n${upgrade}\r\n${key}\r\n${cookie}\r\n\r\n`,
    )
    await wire.until(/101 [\s\S]*\r\n\r\n/)

    await rollBack(gateway)
    expect(await stream.whole).toBe(true)
    expect(stream.text()).toBe('data: new\n\ndata: ha')
    expect((await wire.closed()).received.split('\r\n\r\n')[1]).toBe('\x88\x02\x03\xe9')
  })

  test('what comes only then from the new side is ended too', async () => {
    const gateway = await startBetween(yaml())
    const head = `GET /x/late HTTP/1.1\r\nHost: h\r\nCookie: SESSION=${inside(0)}\r\n\r\n`
    const wire = await openWire(gateway.port, head)
    while (!candidate.open.has(`/x/late SESSION=${inside(0)}`)) await new Promise((resolve) => setImmediate(resolve))
    await rollBack(gateway)
    const late = answerOf(candidate, '/x/late', inside(0))
    late.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
    await wire.until(/text\/event-stream[\s\S]*\r\n0\r\n\r\n$/)
    wire.socket.destroy()
  })

  test('a download goes on to its end, and so does whatever declares its length', async () => {
    const gateway = await startBetween(yaml())
    const download = await read(gateway, '/x/download', inside(0))
    const sized = await read(gateway, '/x/sized', inside(0))
    await Promise.all([download.until(/begun\n\n/), sized.until(/12\n\n/)])
    const stream = await events(gateway, inside(0))
    await rollBack(gateway)
    // Its turn would come last.
    await stream.whole
    answerOf(candidate, '/x/download', inside(0)).end('and ended')
    answerOf(candidate, '/x/sized', inside(0)).end('5678')
    expect(await Promise.all([download.whole, sized.whole])).toEqual([true, true])
    expect([download.text(), sized.text()]).toEqual(['begun\n\nand ended', '12\n\n5678'])
  })

  test('what was ended is counted, and held against nobody', async () => {
    const gateway = await startBetween(yaml())
    const streams = await several(3, (nth) => events(gateway, inside(nth)))
    const sockets = await several(2, (nth) => openSocket(gateway, inside(nth)))
    await rollBack(gateway)
    await Promise.all([...streams.map(({ whole }) => whole), ...sockets.map(({ code }) => code)])
    expect(await gateway.metric('banyan_rollout_streams_ended_total{rollout="x"}')).toBe(5)
    // The last of them has ended when it is counted as an attempt.
    const sound = 'banyan_upstream_attempts_total{upstream="new",role="primary",blame="",code=""}'
    while ((await gateway.metric('banyan_rollout_streams{rollout="x"}')) > 0) await ask(gateway, '/y')
    expect(await gateway.metric(sound)).toBe(5)
  })
})

describe('what counts as going back', () => {
  test('is no reload, and no larger share', async () => {
    const gateway = await startBetween(yaml())
    const socket = await openSocket(gateway, inside(0))
    const stream = await events(gateway, inside(0))
    await gateway.rewrite(`${yaml()}# a word\n`)
    await gateway.rewrite(yaml('stage: canary, share: 60%', '0ms'))
    await gateway.rewrite(yaml('stage: live', '0ms'))
    expect(await gateway.metric('banyan_config_revision')).toBe(4)
    expect(await echo(socket)).toBe('new ?')
    answerOf(candidate, '/x/events', inside(0)).write('data: on\n\n')
    await stream.until(/data: on\n\n$/)
    expect(await gateway.metric('banyan_rollout_streams_ended_total{rollout="x"}')).toBe(0)
    socket.socket.terminate()
    stream.response.destroy()
  })

  test('is an edit to a smaller share, for those clients alone who fall out of it', async () => {
    const gateway = await startBetween(yaml())
    const staying = await openSocket(gateway, identityIn('x', [0, 2_000]))
    const leaving = await openSocket(gateway, identityIn('x', [2_000, 5_000]))
    await gateway.rewrite(yaml('stage: canary, share: 20%'))
    expect(await leaving.code).toBe(1001)
    expect(await echo(staying)).toBe('new ?')
    expect(await gateway.metric('banyan_rollout_streams_ended_total{rollout="x"}')).toBe(1)
    staying.socket.terminate()
  })

  test('is the broken glass', async () => {
    const stateDir = await newStateDir()
    const gateway = await startBetween(yaml('stage: live'), stateDir)
    const socket = await openSocket(gateway, outside(0))
    const stream = await events(gateway, inside(0))
    await writeFile(join(stateDir, 'break-glass.yaml'), 'legacy: all\n')
    expect(await socket.code).toBe(1001)
    expect(await stream.whole).toBe(true)
    expect((await ask(gateway, '/x/y', { fields: session(inside(0)) })).side).toBe('old')
  })
})
