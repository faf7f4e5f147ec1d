// Whoever reads slowly slows the other side down: nothing piles up in the gateway, and nothing is lost.
import { createHash, type Hash, randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openWire } from '../harness/wire.ts'
import { openPlace, type Place } from './place.ts'

let place: Place
beforeEach(async () => {
  place = await openPlace()
})
afterEach(() => place.close())

const pieceBytes = 1_000_000
const pieces = 100
const piece = randomBytes(pieceBytes)
const whole = digestOf(Array.from({ length: pieces }, () => piece))
/** What the system's buffers on both connections and ours may hold together, far from all of it. */
const mostAhead = 40 * pieceBytes

function digestOf(all: readonly Buffer[]): string {
  const hash = createHash('sha256')
  for (const one of all) hash.update(one)
  return hash.digest('hex')
}

/** Writes all pieces as fast as they are taken. */
function pour(socket: Socket): { readonly written: () => number } {
  let count = 0
  const more = () => {
    while (count < pieces) {
      count += 1
      if (!socket.write(piece)) return
    }
  }
  socket.on('drain', more)
  more()
  return { written: () => count * pieceBytes - socket.writableLength }
}

/** Resolves once nothing has moved while the gateway has answered a hundred other requests. */
async function standstill(written: () => number): Promise<number> {
  for (let before = -1; before !== written(); ) {
    before = written()
    for (let i = 0; i < 100; i += 1) await (await fetch(`${place.gateway.probesUrl}/healthz`)).text()
  }
  return written()
}

/** Reads that many bytes off. */
async function digestFrom(socket: Socket, bytes: number, hash: Hash, first: Buffer): Promise<string> {
  let left = bytes - first.length
  hash.update(first)
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      hash.update(chunk)
      left -= chunk.length
      if (left === 0) resolve()
    })
    socket.resume()
  })
  return hash.digest('hex')
}

test('an answer of 100 MB waits for a client that does not read', async () => {
  const asked = new Promise<Socket>((resolve) => {
    place.onConnection = (socket) => socket.once('data', () => resolve(socket))
  })
  const { socket } = await openWire(place.port)
  socket.removeAllListeners('data').pause()
  socket.write('GET /large HTTP/1.1\r\nHost: h\r\n\r\n')
  const upstream = await asked
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${pieces * pieceBytes}\r\n\r\n`
  upstream.write(head)
  const { written } = pour(upstream)
  expect(await standstill(written)).toBeLessThan(mostAhead)
  const got: Buffer[] = []
  let bytes = 0
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      got.push(chunk)
      bytes += chunk.length
      if (bytes === head.length + pieces * pieceBytes) resolve()
    })
    socket.resume()
  })
  expect(digestOf([Buffer.concat(got).subarray(head.length)])).toBe(whole)
  socket.destroy()
})

test('an upload of 100 MB waits for an upstream that does not read', async () => {
  const asked = new Promise<{ socket: Socket; first: Buffer }>((resolve) => {
    place.onConnection = (socket) =>
      socket.once('data', (first: Buffer) => {
        socket.pause()
        resolve({ socket, first })
      })
  })
  const wire = await openWire(place.port)
  wire.socket.write(`POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: ${pieces * pieceBytes}\r\n\r\n`)
  const { written } = pour(wire.socket)
  const { socket, first } = await asked
  expect(await standstill(written)).toBeLessThan(mostAhead)
  const body = first.subarray(first.indexOf('\r\n\r\n') + 4)
  expect(await digestFrom(socket, pieces * pieceBytes, createHash('sha256'), body)).toBe(whole)
  socket.write('HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n')
  await wire.until(/^HTTP\/1\.1 201 Created\r\n/)
  wire.socket.destroy()
})

test('a client that pipelines without reading is read no further', async () => {
  place.onConnection = (socket) => socket.resume()
  const wire = await openWire(place.port)
  const request = `GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(9_900)}\r\n\r\n`
  const many = Buffer.from(request.repeat(100))
  let count = 0
  const more = () => {
    while (count < 100) {
      count += 1
      if (!wire.socket.write(many)) return
    }
  }
  wire.socket.on('drain', more)
  more()
  const written = () => count * many.length - wire.socket.writableLength
  expect(await standstill(written)).toBeLessThan(mostAhead)
  wire.socket.destroy()
})
