// The old side answers where the new one cannot, and nothing runs at both: the answer and the hits at either side.
import { constants, createServer, type Http2Server } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Origin, startRawOrigin } from '../harness/origin.ts'
import { openWire } from '../harness/wire.ts'
import { type Fault, faults, large, startBook, startFaulty, tell, told } from './faults.ts'
import { startBetween } from './sides.ts'

const modes = { usual: '', none: ', fallback: none', writes: ', fallback: { methods: [POST] }' }
const requests = { GET: '', 'POST small': 'small', 'POST large': large }

/** Who answers a GET, a small POST and a large one; a status is the client's, and nobody else was asked. */
const table: Readonly<Record<Fault | 'refuse', Readonly<Record<keyof typeof modes, readonly string[]>>>> = {
  refuse: {
    usual: ['200 old', '200 old', '200 old'],
    none: ['502 upstreamRefused', '502 upstreamRefused', '502 upstreamRefused'],
    writes: ['200 old', '200 old', '200 old'],
  },
  reset: {
    usual: ['200 old', '502 upstreamReset', '502 upstreamReset'],
    none: ['502 upstreamReset', '502 upstreamReset', '502 upstreamReset'],
    writes: ['200 old', '200 old', '502 upstreamReset'],
  },
  hang: {
    usual: ['200 old', '504 upstreamFirstByteTimeout', '504 upstreamFirstByteTimeout'],
    none: ['504 upstreamFirstByteTimeout', '504 upstreamFirstByteTimeout', '504 upstreamFirstByteTimeout'],
    writes: ['200 old', '200 old', '504 upstreamFirstByteTimeout'],
  },
  garbage: {
    usual: ['200 old', '502 upstreamMalformed', '502 upstreamMalformed'],
    none: ['502 upstreamMalformed', '502 upstreamMalformed', '502 upstreamMalformed'],
    writes: ['200 old', '200 old', '502 upstreamMalformed'],
  },
  halfHead: {
    usual: ['200 old', '502 upstreamReset', '502 upstreamReset'],
    none: ['502 upstreamReset', '502 upstreamReset', '502 upstreamReset'],
    writes: ['200 old', '200 old', '502 upstreamReset'],
  },
  503: {
    usual: ['200 old', '503 busy', '503 busy'],
    none: ['503 busy', '503 busy', '503 busy'],
    writes: ['200 old', '200 old', '503 busy'],
  },
  500: {
    usual: ['500 oops', '500 oops', '500 oops'],
    none: ['500 oops', '500 oops', '500 oops'],
    writes: ['500 oops', '500 oops', '500 oops'],
  },
  midBody: {
    usual: ['200 half!', '200 half!', '200 half!'],
    none: ['200 half!', '200 half!', '200 half!'],
    writes: ['200 half!', '200 half!', '200 half!'],
  },
}

let old: Awaited<ReturnType<typeof startBook>>
const origins: Origin[] = []

beforeAll(async () => {
  old = await startBook('old')
  origins.push(old)
})
afterAll(() => Promise.all(origins.map((origin) => origin.close())))
beforeEach(() => old.entries.splice(0))

/** All of a body, so that what is sent is what counts. */
const wholeBody = (head: string) => Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)

async function startCandidate(act: (socket: Socket) => void, bytesOf = wholeBody) {
  const candidate = await startFaulty(act, bytesOf)
  origins.push(candidate)
  return candidate
}

function yamlTo(url: string, move = '', { more = '', firstByte = '10s' } = {}): string {
  return `
paths: { case: exact }
upstreams: { old: { url: "${old.url}" }, new: { url: "${url}", firstByte: ${firstByte}, connect: 5s } }
unmatched: old
routes:
  - { name: all, match: { path: /x }, move: { to: new, stage: live, writesSurviveRollback: true${move} }${more} }
`
}

async function listenOn(server: Http2Server): Promise<string> {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  origins.push({ url: '', port, close: async () => void server.close() })
  return `http://127.0.0.1:${port}`
}

async function refusing(): Promise<string> {
  const origin = await startRawOrigin(() => {})
  await origin.close()
  return origin.url
}

describe.each(Object.entries(table))('what the new side does: %s', (fault, rows) => {
  let url: string
  let heads: readonly string[] = []
  beforeAll(async () => {
    if (fault === 'refuse') {
      url = await refusing()
      return
    }
    const candidate = await startCandidate(faults[fault as Fault])
    url = candidate.url
    heads = candidate.heads
  })

  test.each(Object.entries(rows))('fallback %s', async (mode, expected) => {
    const firstByte = fault === 'hang' ? '500ms' : '10s'
    const gateway = await startBetween(yamlTo(url, modes[mode as keyof typeof modes], { firstByte }))
    const before = heads.length
    const answers: string[] = []
    for (const [request, body] of Object.entries(requests))
      answers.push(await tell(gateway.port, request.slice(0, 4).trim(), '/x', body))
    expect(answers).toEqual(expected)
    expect(heads.length - before).toBe(fault === 'refuse' ? 0 : 3)
    const bodies = Object.values(requests).filter((_, i) => expected[i] === '200 old')
    expect(old.entries.map(({ body }) => body === bodies.shift())).toEqual(
      expected.filter((answer) => answer === '200 old').map(() => true),
    )
  })
})

describe('a body that streams', () => {
  const head = 'POST /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n'
  const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n`
  const expecting = `${head}Content-Length: 4\r\nExpect: 100-continue\r\n\r\n`
  const interim = /^HTTP\/1\.1 100 .*\r\n\r\n/

  test('is sent again from its beginning: what came before the failure, and what came after', async () => {
    const [asked, gone] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const candidate = await startCandidate(
      (socket: Socket) => {
        socket.once('close', gone.resolve)
        faults.reset(socket)
        asked.resolve()
      },
      () => 'a\r\nfirst half\r\n'.length,
    )
    const gateway = await startBetween(yamlTo(candidate.url, modes.writes))
    const wire = await openWire(gateway.port, chunked)
    await candidate.first
    wire.socket.write('a\r\nfirst half\r\n')
    await gone.promise
    wire.socket.write('b\r\n, the other\r\n0\r\n\r\n')
    expect(told((await wire.closed()).received)).toBe('200 old')
    expect(old.entries.map(({ body }) => body)).toEqual(['first half, the other'])
    expect(candidate.heads).toHaveLength(1)
  })

  test('and had ended before the failure comes whole', async () => {
    const candidate = await startCandidate(faults.hang, () => 4)
    const gateway = await startBetween(yamlTo(candidate.url, modes.writes, { firstByte: '300ms' }))
    const wire = await openWire(gateway.port, chunked)
    await candidate.first
    wire.socket.write('4\r\nbody\r\n0\r\n\r\n')
    expect(told((await wire.closed()).received)).toBe('200 old')
    expect(old.entries.map(({ body }) => body)).toEqual(['body'])
  })

  test('is not sent again, once it is beyond keepBody and a part of it is gone', async () => {
    const candidate = await startCandidate(faults.reset, () => 6)
    const gateway = await startBetween(yamlTo(candidate.url, modes.writes, { more: ', keepBody: 5B' }))
    const wire = await openWire(gateway.port, chunked)
    await candidate.first
    wire.socket.write('6\r\nsix by\r\n0\r\n\r\n')
    expect(told((await wire.closed()).received)).toBe('502 upstreamReset')
    expect(old.entries).toEqual([])
  })

  test('and waits for a word: its client is told to go on by the side that takes it', async () => {
    const candidate = await startCandidate(faults.reset, () => 0)
    const gateway = await startBetween(yamlTo(candidate.url, modes.writes))
    const wire = await openWire(gateway.port, expecting)
    await wire.until(interim)
    wire.socket.write('body')
    expect(told((await wire.closed()).received.replace(interim, ''))).toBe('200 old')
    expect(old.entries.map(({ body, fields }) => [body, fields.expect])).toEqual([['body', '100-continue']])
  })

  test('and has come because the new side had asked for it: the old one need not ask', async () => {
    const candidate = await startCandidate(faults.reset, () => 4)
    const gateway = await startBetween(yamlTo(candidate.url, modes.writes))
    const wire = await openWire(gateway.port, expecting)
    const upstream = await candidate.first
    upstream.write('HTTP/1.1 100 Continue\r\n\r\n')
    await wire.until(interim)
    wire.socket.write('body')
    expect(told((await wire.closed()).received.replace(interim, ''))).toBe('200 old')
    expect(old.entries.map(({ body, fields }) => [body, fields.expect])).toEqual([['body', undefined]])
  })

  test('and was refused unseen by an HTTP/2 side goes to the old one, whatever its method', async () => {
    const refusing = createServer()
    refusing.on('stream', (stream) => {
      stream.on('error', () => {})
      stream.once('data', () => stream.close(constants.NGHTTP2_REFUSED_STREAM))
    })
    const url = await listenOn(refusing)
    const gateway = await startBetween(yamlTo(url).replace('firstByte: 10s', 'firstByte: 10s, protocol: h2'))
    const wire = await openWire(gateway.port, `${head}Content-Length: 8\r\n\r\n`)
    await new Promise<void>((resolve) => refusing.once('stream', () => resolve()))
    wire.socket.write('all ')
    wire.socket.write('of i')
    expect(told((await wire.closed()).received)).toBe('200 old')
    expect(old.entries.map(({ body }) => body)).toEqual(['all of i'])
  })
})
