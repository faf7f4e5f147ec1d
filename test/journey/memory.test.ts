// A gibibyte either way through the real process: nothing of it is kept, however slow the reader.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Origin, startOrigin } from '../harness/origin.ts'
import { places } from '../harness/places.ts'
import { type GatewayProcess, newFolder, startProcess } from '../harness/process.ts'

const mebibyte = 1024 * 1024
const size = 1024 * mebibyte
const mostGrowth = 64 * mebibyte
/** No power of two, so that a piece that is lost, doubled or swapped shifts or changes what follows. */
const piece = Buffer.from(Array.from({ length: 257 * 1021 }, (_, i) => (i * 31 + (i >> 8)) & 0xff))

let origin: Origin
let folder: string
let gateway: GatewayProcess
let uploaded: Promise<{ bytes: number; isRight: boolean }>

beforeAll(async () => {
  origin = await startOrigin((request, response) => {
    if (request.method === 'POST') {
      uploaded = check(request)
      uploaded.then(({ bytes }) => response.end(String(bytes)))
    } else {
      response.writeHead(200, { 'Content-Length': size })
      pipeline(pattern(), response).catch(() => {})
    }
  })
  folder = await newFolder(`${places}upstreams: { m: { url: "${origin.url}" } }\nunmatched: m\n`)
})

// A fresh process for each: what one transfer has brought up would hide what the next one adds.
beforeEach(async () => {
  gateway = await startProcess(folder)
})

afterEach(async () => {
  gateway.child.kill()
  await gateway.exited
})

afterAll(() => origin.close())

function* pieces(): Generator<Buffer> {
  for (let left = size; left > 0; left -= piece.length) yield left < piece.length ? piece.subarray(0, left) : piece
}

function pattern(): Readable {
  return Readable.from(pieces(), { objectMode: false, highWaterMark: mebibyte })
}

/** Reads all and compares it with the pattern. */
async function check(stream: Readable): Promise<{ bytes: number; isRight: boolean }> {
  let bytes = 0
  let isRight = true
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    for (let done = 0; done < chunk.length; ) {
      const at = (bytes + done) % piece.length
      const length = Math.min(chunk.length - done, piece.length - at)
      if (chunk.compare(piece, at, at + length, done, done + length) !== 0) isRight = false
      done += length
    }
    bytes += chunk.length
  }
  return { bytes, isRight }
}

/** What the process has resident now (VmRSS), or has had at most (VmHWM); Linux alone says so. */
async function residentBytes(key: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${gateway.pid}/status`, 'utf8')
  return Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024
}

/** How far above its start the process has come at its peak. */
async function measured(run: () => Promise<void>): Promise<number> {
  const before = await residentBytes('VmRSS')
  await run()
  return (await residentBytes('VmHWM')) - before
}

test.runIf(process.platform === 'linux')(
  'a gibibyte goes up whole and leaves no memory behind',
  async () => {
    const growth = await measured(async () => {
      const request = httpRequest(gateway.url, { method: 'POST', headers: { 'Content-Length': size } })
      const [[response]] = (await Promise.all([once(request, 'response'), pipeline(pattern(), request)])) as [
        [IncomingMessage],
        unknown,
      ]
      expect(response.statusCode).toBe(200)
      response.resume()
      expect(await uploaded).toEqual({ bytes: size, isRight: true })
    })
    expect(growth).toBeLessThan(mostGrowth)
  },
  60_000,
)

test.runIf(process.platform === 'linux')(
  'a gibibyte comes down whole and leaves no memory behind',
  async () => {
    const growth = await measured(async () => {
      const request = httpRequest(gateway.url).end()
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      expect(await check(response)).toEqual({ bytes: size, isRight: true })
    })
    expect(growth).toBeLessThan(mostGrowth)
  },
  60_000,
)

test.runIf(process.platform === 'linux')(
  'clients that do not read cost no memory but what a connection holds',
  async () => {
    const growth = await measured(async () => {
      const clients = Array.from({ length: 8 }, () => connect(gateway.port, '127.0.0.1').pause())
      for (const client of clients) client.write('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
      // Until the upstream's side has come to rest, other requests pass all the while.
      for (let round = 0; round < 300; round += 1) await (await fetch(gateway.url, { method: 'HEAD' })).text()
      for (const client of clients) client.destroy()
    })
    expect(growth).toBeLessThan(mostGrowth)
  },
  60_000,
)

test('the pattern tells a lost piece from a whole', async () => {
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  expect(digest(piece.subarray(0, 1000))).not.toBe(digest(piece.subarray(1, 1001)))
  const broken = Readable.from([piece.subarray(0, 5000), piece.subarray(5001, 9000)])
  expect(await check(broken)).toEqual({ bytes: 8999, isRight: false })
})
