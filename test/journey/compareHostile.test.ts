// A candidate that does its worst, and a client that must not notice.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { DiffView } from '../../gateway/ops/diff.ts'
import { type Origin, startOrigin, startRawOrigin } from '../harness/origin.ts'
import { openWire } from '../harness/wire.ts'
import { answer, as, digest, everybody, sessions, skipped, startComparing, startSide } from './comparing.ts'

const mebibyte = 1024 * 1024
const page = Buffer.from(Array.from({ length: 300_011 }, (_, i) => (i * 31 + (i >> 8)) & 0xff))

interface Hostile extends Origin {
  /** How much it has got rid of. */
  written(): number
  /** Connections now. */
  open(): number
}

/** After the head of each request it does that. */
async function startHostile(act: (socket: Socket) => void): Promise<Hostile> {
  const sockets = new Set<Socket>()
  let written = 0
  const origin = await startRawOrigin((socket) => {
    sockets.add(socket)
    socket.once('data', () => act(socket))
    // It is left half open.
    socket.on('end', () => socket.end())
    socket.on('close', () => {
      sockets.delete(socket)
      written += socket.bytesWritten
    })
  })
  onTestFinished(origin.close)
  return { ...origin, written: () => written, open: () => sockets.size }
}

/** Writes for as long as it may. */
function flood(socket: Socket, head: string, piece: Buffer, bytes = 100 * mebibyte): void {
  socket.write(head)
  let left = bytes
  const more = () => {
    while (left > 0 && !socket.destroyed) {
      left -= piece.length
      if (!socket.write(piece)) return
    }
  }
  socket.on('drain', more)
  more()
}

const block = Buffer.alloc(64 * 1024, 'x')
const oneByteChunks = Buffer.from('1\r\nx\r\n'.repeat(10_000))
const interims = Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(500))

const ways: readonly (readonly [
  does: string,
  act: (socket: Socket) => void,
  why: keyof DiffView['notCompared'] | 'compared',
])[] = [
  ['hangs', () => {}, 'timedOut'],
  [
    'answers 100 MB',
    (s) => flood(s, `HTTP/1.1 200 OK\r\nContent-Length: ${100 * mebibyte}\r\n\r\n`, block),
    'compared',
  ],
  ['answers without end', (s) => flood(s, 'HTTP/1.1 200 OK\r\n\r\n', block), 'compared'],
  [
    'answers in chunks of one byte',
    (s) => flood(s, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', oneByteChunks),
    'compared',
  ],
  ['floods interim answers', (s) => flood(s, '', interims), 'unanswered'],
  ['answers nonsense', (s) => s.end('nonsense\r\n\r\n'), 'unanswered'],
  [
    'has a head without end',
    (s) => flood(s, 'HTTP/1.1 200 OK\r\n', Buffer.from(`X: ${'x'.repeat(8_000)}\r\n`)),
    'unanswered',
  ],
  [
    'resets in mid-body',
    (s) => s.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', () => s.resetAndDestroy()),
    'unanswered',
  ],
  ['drips', (s) => s.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx'), 'timedOut'],
  ['closes without a word', (s) => s.destroy(), 'unanswered'],
  [
    'switches protocols',
    (s) => s.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    'unanswered',
  ],
]

test.each(ways)('a candidate that %s: the client gets every byte, and the leg ends', async (_does, act, why) => {
  const old = await startOrigin((_, response) => {
    response.sendDate = false
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': page.length }).end(page)
  })
  onTestFinished(old.close)
  const candidate = await startHostile(act)
  const timeout = why === 'timedOut' ? '500ms' : '60s'
  const gateway = await startComparing(old, candidate, { compare: `${everybody}, timeout: ${timeout}` })
  const bytesOf = async (path: string) => {
    const wire = await openWire(
      gateway.port,
      `GET ${path} HTTP/1.1\r\nHost: h\r\nCookie: SESSION=s\r\nConnection: close\r\n\r\n`,
    )
    const { received, isClean } = await wire.closed()
    expect(isClean).toBe(true)
    return received
  }
  const without = await bytesOf('/y/1')
  expect(digest(Buffer.from(await bytesOf('/x/1'), 'latin1'))).toBe(digest(Buffer.from(without, 'latin1')))
  expect(without.length).toBeGreaterThan(page.length)
  const view = await gateway.diff((found) => found.compared + skipped(found) > 0)
  expect(why === 'compared' ? view.compared : view.notCompared[why]).toBe(1)
  await gateway.close()
  // The loopback's own buffers hold a few.
  expect(candidate.written()).toBeLessThan(24 * mebibyte)
})

test('a candidate that nobody can connect to changes nothing', async () => {
  const old = await startSide(answer('old'))
  const gone = await startHostile(() => {})
  await gone.close()
  const gateway = await startComparing(old, gone)
  expect(await (await fetch(`${gateway.url}/x/1`, as('s'))).text()).toBe('old')
  expect((await gateway.diff((view) => skipped(view) > 0)).notCompared).toEqual({ unanswered: 1 })
})

test('a slow client of a large body holds the old side up as it does without comparison', async () => {
  let written = 0
  const total = 48 * mebibyte
  const old = await startOrigin((_, response) => {
    response.writeHead(200, { 'Content-Length': total })
    const more = () => {
      while (written < total) {
        written += block.length
        if (!response.write(block)) return
      }
      response.end()
    }
    response.on('drain', more)
    more()
  })
  onTestFinished(old.close)
  const candidate = await startSide(answer('new'))
  const gateway = await startComparing(old, candidate)
  const wire = await openWire(gateway.port)
  wire.socket.pause()
  wire.socket.write('GET /x/1 HTTP/1.1\r\nHost: h\r\nCookie: SESSION=s\r\n\r\n')
  const view = await gateway.diff()
  expect(view).toMatchObject({ compared: 1 })
  for (let before = -1; before !== written; ) {
    before = written
    for (let i = 0; i < 20; i += 1) await (await fetch(`${gateway.adminUrl}/healthz`)).text()
  }
  expect(written).toBeLessThan(20 * mebibyte)
  let received = 0
  wire.socket.removeAllListeners('data')
  wire.socket.on('data', (piece) => {
    received += piece.length
    if (received > total) wire.socket.emit('whole')
  })
  wire.socket.resume()
  await once(wire.socket, 'whole')
  expect(written).toBe(total)
  wire.socket.destroy()
})

test('a client that leaves in mid-body ends the old side’s answer, and nothing is compared', async () => {
  const gone = Promise.withResolvers<void>()
  const old = await startOrigin((_, response) => {
    response.on('close', () => gone.resolve())
    response.writeHead(200, { 'Content-Type': 'text/plain' }).write('half')
  })
  onTestFinished(old.close)
  const candidate = await startSide(answer('half'))
  const gateway = await startComparing(old, candidate, { compare: `${everybody}, timeout: 60s` })
  const wire = await openWire(gateway.port, 'GET /x/1 HTTP/1.1\r\nHost: h\r\nCookie: SESSION=s\r\n\r\n')
  await wire.until(/half/)
  wire.socket.destroy()
  await gone.promise
  expect(await gateway.diff((view) => skipped(view) > 0)).toMatchObject({
    compared: 0,
    notCompared: { primaryBroke: 1 },
  })
})

test('an old side that streams for ever goes on doing so when the leg’s time is over', async () => {
  let drip = (_text: string) => {}
  const old = await startOrigin((_, response) => {
    response.writeHead(200, { 'Content-Type': 'text/plain' }).write('first ')
    drip = (text) => response.write(text)
  })
  onTestFinished(old.close)
  const candidate = await startSide(answer('new'))
  const gateway = await startComparing(old, candidate, { compare: `${everybody}, timeout: 200ms` })
  const wire = await openWire(gateway.port, 'GET /x/1 HTTP/1.1\r\nHost: h\r\nCookie: SESSION=s\r\n\r\n')
  await wire.until(/first/)
  expect((await gateway.diff((view) => skipped(view) > 0)).notCompared).toEqual({ primaryLate: 1 })
  drip('second')
  await wire.until(/second/)
  wire.socket.destroy()
})

test.each([
  ['Content-Length: 100\r\n\r\nhalf', /half/],
  ['Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', /half/],
])('a client sees that the old side broke off: %j', async (rest, seen) => {
  const sockets: Socket[] = []
  const old = await startRawOrigin((socket) => {
    sockets.push(socket)
    socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n${rest}`))
  })
  onTestFinished(old.close)
  const candidate = await startSide(answer('half'))
  const gateway = await startComparing(old, candidate)
  const wire = await openWire(gateway.port, 'GET /x/1 HTTP/1.1\r\nHost: h\r\nCookie: SESSION=s\r\n\r\n')
  await wire.until(seen)
  sockets[0]?.destroy()
  const { received } = await wire.closed()
  expect(received).not.toMatch(/\r\n0\r\n\r\n$/)
  expect((await gateway.diff((view) => skipped(view) > 0)).notCompared).toEqual({ primaryBroke: 1 })
})

test('a gateway that closes with legs under way and waiting leaves none, and begins none', async () => {
  const old = await startSide(answer('old'))
  const heads: string[] = []
  const candidate = await startHostile(() => heads.push('asked'))
  const gateway = await startComparing(old, candidate, { compare: `${everybody}, timeout: 60s` })
  // Two at a time per session: one under way, one in its turn.
  for (const s of [...sessions(4), ...sessions(4)]) await (await fetch(`${gateway.url}/x/${s}`, as(s))).text()
  for (;;) {
    if (heads.length === 4) break
    await (await fetch(`${gateway.adminUrl}/healthz`)).text()
  }
  await gateway.close()
  while (candidate.open() > 0) await new Promise((resolve) => setImmediate(resolve))
  expect(heads.length).toBe(4)
})

test('legs that hang leave the candidate’s connections to clients', async () => {
  const old = await startSide(answer('old'))
  const candidate = await startSide((request, response) => {
    if (request.headers.shadow === undefined) response.end('new')
  })
  const gateway = await startComparing(old, candidate, {
    move: 'stage: canary, share: 50%',
    compare: `${everybody}, timeout: 60s`,
    candidate: 'maxConnections: 4, connect: 1s',
  })
  for (const s of sessions(40))
    expect(await (await fetch(`${gateway.url}/x/${s}`, as(s))).text()).toMatch(/^(old|new)$/)
  const view = await gateway.diff((found) => skipped(found) > 0)
  expect(view.notCompared.full).toBeGreaterThan(5)
  expect(candidate.asked.filter(({ fields }) => fields.shadow === '?1').length).toBe(1)
})
