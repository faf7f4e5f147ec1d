// Upstreams that speak HTTP/2, with and without TLS, behind the same function.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import {
  constants,
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { type AddressInfo, createServer as createNetServer } from 'node:net'
import { PassThrough, type Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Upstream } from '../../gateway/model.ts'
import { startRawOrigin } from '../harness/origin.ts'
import { bodyOf, freezeTime, openWorld, passing, resultOf, until, upstreamTo, type World } from './world.ts'

const schemes = ['http', 'https'] as const
const servers = new Map<string, Http2Server>()
const sessions = new Set<ServerHttp2Session>()
let onStream: (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void
let world: World

beforeAll(async () => {
  const pem = await readFile(new URL('../ops/self-signed.pem', import.meta.url))
  for (const scheme of schemes) {
    const server = scheme === 'http' ? createServer() : createSecureServer({ key: pem, cert: pem })
    server.on('session', (session: ServerHttp2Session) => {
      sessions.add(session)
      session.on('error', () => {})
    })
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on('error', () => {})
      onStream(stream, headers)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    servers.set(scheme, server)
  }
})

afterAll(() => {
  for (const session of sessions) session.destroy()
  for (const server of servers.values()) server.close()
})

beforeEach(() => {
  world = openWorld()
})

afterEach(() => world.pools.destroy())

const frames = { data: 0, headers: 1, reset: 3, settings: 4 }

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** Whether a HEADERS frame has come, behind the preface of 24 bytes. */
function hasHeaders(bytes: Buffer): boolean {
  for (let at = 24; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3))
    if (bytes[at + 3] === frames.headers) return true
  return false
}

function portOf(scheme: string): number {
  const address = servers.get(scheme)?.address() as AddressInfo | undefined
  return address?.port ?? 0
}

describe.each(schemes)('over %s', (scheme) => {
  const upstream = (over: Partial<Upstream> = {}) => upstreamTo(portOf(scheme), { protocol: 'h2', ...over }, scheme)

  test('a request and its answer, fields and all', async () => {
    let seen: IncomingHttpHeaders = {}
    onStream = (stream, headers) => {
      seen = headers
      stream.respond({ ':status': 201, 'x-a': '1', 'set-cookie': ['a=1', 'b=2'] })
      stream.end('made')
    }
    const asked = world.ask(upstream(), {
      method: 'PUT',
      target: '/%2F/x?y',
      raw: ['Host', 'public.example', 'X-Case', 'Z'],
    })
    const answer = await asked.answer
    expect(`${answer.status} ${await bodyOf(answer)}`).toBe('201 made')
    expect(answer.fields.all('set-cookie')).toEqual(['a=1', 'b=2'])
    expect(answer.fields.get('x-a')).toBe('1')
    expect(answer.fields.has(':status')).toBe(false)
    expect(seen).toMatchObject({ ':method': 'PUT', ':path': '/%2F/x?y', ':authority': 'public.example', 'x-case': 'Z' })
  })

  test('one connection carries no more requests than maxConnections; of the others maxPending wait', async () => {
    const held: ServerHttp2Stream[] = []
    onStream = (stream) => held.push(stream)
    const limits = { maxConnections: 4, maxPending: 1, connectMs: 60_000 }
    world.beOneOf(2)
    const [first, second, third] = [1, 2, 3].map(() => world.ask(upstream(limits)))
    await until(() => held.length === 2)
    expect(await resultOf(world.ask(upstream(limits)))).toBe('upstreamBusy by gateway, unsent')
    expect(world.pools.loadOf(upstream(limits))).toEqual({ open: 2, waiting: 1, most: 2 })
    first?.leave()
    await until(() => held.length === 3)
    for (const stream of held) if (!stream.destroyed) stream.end('ok')
    expect(await Promise.all([second, third].map((one) => one && resultOf(one)))).toEqual(['200 ok', '200 ok'])
    expect(world.pools.loadOf(upstream(limits))).toEqual({ open: 0, waiting: 0, most: 2 })
  })

  test('who waits too long for others to end, or leaves, was never sent, and is not the upstream’s failure', async () => {
    freezeTime()
    let streams = 0
    onStream = () => {
      streams += 1
    }
    const limits = { maxConnections: 1, connectMs: 30 }
    const first = world.ask(upstream(limits))
    await until(() => streams === 1)
    expect(await passing(resultOf(world.ask(upstream(limits))))).toBe('upstreamBusy by gateway, unsent')
    const leaver = world.ask(upstream(limits))
    leaver.leave()
    const last = world.ask(upstream({ ...limits, connectMs: 60_000 }))
    first.leave()
    await until(() => streams === 2)
    last.leave()
    expect(world.pools.loadOf(upstream(limits))).toEqual({ open: 0, waiting: 0, most: 1 })
  })

  test('bodies stream both ways at the same time, and trailers follow', async () => {
    onStream = (stream) => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '2' }))
      stream.on('data', (chunk: Buffer) => stream.write(chunk.toString().toUpperCase()))
      stream.on('end', () => stream.end())
    }
    const body = new PassThrough()
    const asked = world.ask(upstream(), { method: 'POST', body })
    body.write('a')
    const answer = await asked.answer
    const echoed = answer.body as Readable
    for (const piece of ['a', 'b']) {
      if (piece === 'b') body.write(piece)
      const [got] = (await once(echoed, 'data')) as [Buffer]
      expect(got.toString()).toBe(piece.toUpperCase())
    }
    body.end()
    await once(echoed, 'end')
    expect(answer.trailers?.().raw).toEqual(['x-sum', '2'])
  })

  test.each(['before the request goes out', 'in its middle'])('a request body that breaks %s', async (when) => {
    const codes: number[] = []
    onStream = (stream) => {
      stream.on('data', () => body.destroy())
      stream.on('close', () => codes.push(stream.rstCode))
    }
    const body = new PassThrough()
    const asked = world.ask(upstream(), { method: 'POST', body })
    if (when === 'in its middle') body.write('x')
    else body.destroy()
    expect(await resultOf(asked)).toBe('requestBodyBroken by client')
    await until(() => codes.length > 0)
    expect(codes).toEqual([constants.NGHTTP2_CANCEL])
  })

  test('an answer that comes before the request has gone out leaves the rest of it to its owner', async () => {
    onStream = (stream) => {
      stream.respond({ ':status': 413 })
      stream.end('no')
    }
    const body = new PassThrough()
    const asked = world.ask(upstream(), { method: 'POST', body })
    body.write('x')
    expect(await resultOf(asked)).toBe('413 no')
    expect([body.destroyed, body.isPaused(), body.listenerCount('data')]).toEqual([false, true, 0])
  })

  test('HEAD, 204 and 304 have no body', async () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 304],
    ] as const) {
      onStream = (stream) => stream.respond({ ':status': status }, { endStream: true })
      expect(await resultOf(world.ask(upstream(), { method }))).toBe(`${status} `)
    }
  })

  test('a client that leaves resets the stream, before the head and in mid-body', async () => {
    const codes: number[] = []
    let hasStarted = false
    onStream = (stream) => {
      hasStarted = true
      stream.on('close', () => codes.push(stream.rstCode ?? 0))
    }
    const waiting = world.ask(upstream())
    await until(() => hasStarted)
    waiting.leave()
    expect(await resultOf(waiting)).toBe('clientGone by client')
    await until(() => codes.length === 1)
    onStream = (stream) => {
      stream.on('close', () => codes.push(stream.rstCode ?? 0))
      stream.respond({ ':status': 200 })
      stream.write('half')
    }
    const reading = world.ask(upstream())
    const { body } = await reading.answer
    reading.leave()
    await until(() => codes.length === 2)
    expect((body as Readable).destroyed).toBe(true)
    expect(codes).not.toContain(constants.NGHTTP2_NO_ERROR)
  })

  test('a session that is destroyed in mid-body breaks the answer', async () => {
    onStream = (stream) => {
      stream.respond({ ':status': 200 })
      stream.write('half', () => stream.session?.destroy())
    }
    expect(await resultOf(world.ask(upstream()))).toBe('200 broken')
  })

  test('no head within firstByteMs, and silence in mid-body for idleMs, have their own names', async () => {
    freezeTime()
    let streams = 0
    onStream = () => {
      streams += 1
    }
    const silent = world.ask(upstream({ firstByteMs: 30 }))
    await until(() => streams === 1)
    expect(await passing(resultOf(silent))).toBe('upstreamFirstByteTimeout by upstream')
    onStream = (stream) => {
      stream.respond({ ':status': 200 })
      stream.write('half')
    }
    const answer = await world.ask(upstream({ idleMs: 30 })).answer
    await expect(passing(bodyOf(answer))).rejects.toMatchObject({ code: 'upstreamIdleTimeout' })
  })

  test('interim answers come through', async () => {
    onStream = (stream) => {
      stream.additionalHeaders({ ':status': 103, link: '</a>' })
      stream.respond({ ':status': 200 })
      stream.end('late')
    }
    const asked = world.ask(upstream())
    expect(await resultOf(asked)).toBe('200 late')
    expect(asked.informed).toEqual([[103, 'link', '</a>']])
  })

  test('nobody listens: refused, unsent', async () => {
    const nobody = createNetServer()
    await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve))
    const { port } = nobody.address() as AddressInfo
    await new Promise((resolve) => nobody.close(resolve))
    const asked = world.ask(upstreamTo(port, { protocol: 'h2' }, scheme))
    expect(await resultOf(asked)).toBe('upstreamRefused by upstream, unsent')
  })
})

describe('a stream that is reset', () => {
  /** A server of bare frames: Node's own would end the stream before it resets it. */
  async function resultOfReset(code: number, before: Buffer[]): Promise<string> {
    const origin = await startRawOrigin((socket) => {
      let bytes = Buffer.alloc(0)
      socket.write(frame(frames.settings, 0, 0, Buffer.alloc(0)))
      socket.on('data', (chunk) => {
        bytes = Buffer.concat([bytes, chunk])
        if (!hasHeaders(bytes)) return
        bytes = Buffer.alloc(0)
        const reset = Buffer.from([0, 0, 0, code])
        socket.write(
          Buffer.concat([frame(frames.settings, 1, 0, Buffer.alloc(0)), ...before, frame(frames.reset, 0, 1, reset)]),
        )
      })
    })
    const result = await resultOf(world.ask(upstreamTo(origin.port, { protocol: 'h2' })))
    await origin.close()
    return result
  }
  const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL, NGHTTP2_REFUSED_STREAM } = constants
  // HPACK's static table: `:status: 200`.
  const half = [frame(frames.headers, 4, 1, Buffer.from([0x88])), frame(frames.data, 0, 1, Buffer.from('half'))]

  test.each([NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL])('with code %i is no answer, and no whole one', async (code) => {
    expect(await resultOfReset(code, [])).toBe('upstreamReset by upstream')
    expect(await resultOfReset(code, half)).toBe('200 broken')
  })

  test('as refused has not run', async () => {
    expect(await resultOfReset(NGHTTP2_REFUSED_STREAM, [])).toBe('upstreamReset by upstream, unsent')
  })
})

test('after five minutes, and after silence, the next request has a session of its own', async () => {
  const before = sessions.size
  const upstream = upstreamTo(portOf('http'), { protocol: 'h2' })
  onStream = (stream) => {
    stream.respond({ ':status': 200 })
    stream.end('x')
  }
  for (const _ of [1, 2]) await resultOf(world.ask(upstream))
  expect(sessions.size).toBe(before + 1)
  world.advance(5 * 60_000)
  await resultOf(world.ask(upstream))
  expect(sessions.size).toBe(before + 2)
  onStream = () => {}
  expect(await resultOf(world.ask({ ...upstream, firstByteMs: 30 }))).toBe('upstreamFirstByteTimeout by upstream')
  onStream = (stream) => stream.respond({ ':status': 204 }, { endStream: true })
  expect(await resultOf(world.ask(upstream))).toBe('204 ')
  expect(sessions.size).toBe(before + 3)
})

test('an unverified certificate is refused, unsent', async () => {
  const upstream = upstreamTo(portOf('https'), { protocol: 'h2' }, 'https')
  const verified = { ...upstream, target: { ...upstream.target, verify: true } }
  expect(await resultOf(world.ask(verified))).toBe('upstreamTls by upstream, unsent')
})

test('a server that speaks HTTP/1.1 alone is malformed or refused, and nothing passes for an answer', async () => {
  const origin = await startRawOrigin((socket) => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'))
  const result = await resultOf(world.ask(upstreamTo(origin.port, { protocol: 'h2' })))
  expect(result).toMatch(/^upstream(Malformed|Reset) by upstream/)
  await origin.close()
})
