// Two thousand writes at a new side whose connections break at random: none runs twice, at neither side nor at both.
import type { Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startOrigin, startRawOrigin } from '../harness/origin.ts'
import { exchangeBytes } from '../harness/wire.ts'
import { startBetween } from './sides.ts'

const writes = 2_000
const atATime = 40

/** Mulberry32: the same breaks in every run. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** How often each write has run, wherever. */
const runs = new Map<string, string[]>()
const run = (id: string, where: string) => runs.set(id, [...(runs.get(id) ?? []), where])

/** The write that has come whole, if one has. */
function writeIn(received: string): { id: string; bytes: number } | undefined {
  const headBytes = received.indexOf('\r\n\r\n') + 4
  const id = /x-write: (\d+)/i.exec(received)?.[1]
  const bytes = headBytes + Number(/content-length: (\d+)/i.exec(received)?.[1])
  return headBytes >= 4 && id !== undefined && received.length >= bytes ? { id, bytes } : undefined
}

/** Breaks before it reads, while it reads, after it has run, in the midst of its answer, as it goes idle, or not at all. */
async function startBreaking(random: () => number) {
  return startRawOrigin((socket: Socket) => {
    if (random() < 0.1) return socket.resetAndDestroy()
    let received = ''
    socket.on('data', (chunk) => {
      if (received === '' && random() < 0.1) return socket.resetAndDestroy()
      received += chunk.toString('latin1')
      const write = writeIn(received)
      if (!write) return
      received = received.slice(write.bytes)
      run(write.id, 'new')
      end(socket, random())
    })
  })
}

function end(socket: Socket, luck: number): void {
  if (luck < 0.15) socket.resetAndDestroy()
  else if (luck < 0.25) socket.end('HTTP/1.1 200 OK\r\nContent-')
  else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nnew')
  // The next request may be on its way.
  if (luck >= 0.25 && luck < 0.6) setImmediate(() => socket.resetAndDestroy())
}

let old: Awaited<ReturnType<typeof startOrigin>>
let candidate: Awaited<ReturnType<typeof startBreaking>>

beforeAll(async () => {
  old = await startOrigin((request, response) => {
    request.resume().once('end', () => {
      run(String(request.headers['x-write']), 'old')
      response.end('old')
    })
  })
  candidate = await startBreaking(randomOf(7))
})
afterAll(() => Promise.all([old.close(), candidate.close()]))

test('each runs once at most, and whoever is told that it ran has had it run', async () => {
  const gateway = await startBetween(`
accessLog: off
paths: { case: exact }
upstreams: { old: { url: "${old.url}" }, new: { url: "${candidate.url}", connect: 5s } }
unmatched: old
routes:
  - name: writes
    match: { path: /w, methods: [POST] }
    retry: { attempts: 2 }
    move:
      to: new
      stage: live
      guard: { failuresInARow: 10000, minRequests: 1000000 }
`)
  const body = 'w'.repeat(2_000)
  let next = 0
  const statuses = new Map<string, number>()
  const client = async () => {
    for (let id = next++; id < writes; id = next++) {
      const head = `POST /w HTTP/1.1\r\nHost: h\r\nX-Write: ${id}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`
      const { received } = await exchangeBytes(gateway.port, head + body)
      const status = received.slice(9, 12)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status === '200') expect(runs.get(String(id))).toHaveLength(1)
    }
  }
  await Promise.all(Array.from({ length: atATime }, client))
  expect([...runs].filter(([, where]) => where.length > 1)).toEqual([])
  expect([...statuses.values()].reduce((sum, count) => sum + count)).toBe(writes)
  expect([...statuses.keys()].sort()).toEqual(['200', '502'])
  expect(statuses.get('200')).toBeGreaterThan(writes / 4)
  expect(statuses.get('502')).toBeGreaterThan(writes / 10)
})
