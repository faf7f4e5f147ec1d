// Bytes under way: how long they are waited for and whose fault a silence is, who leaves when, and how much is held in memory.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { Upstream } from '../../gateway/model.ts'
import { type Origin, startRawOrigin } from '../harness/origin.ts'
import { bodyOf, freezeTime, openWorld, passing, resultOf, until, upstreamTo, type World } from './world.ts'

let world: World
let origin: Origin
let sockets: Socket[]
/** All that the origin has received, over all connections. */
let received: string
let onBytes: (socket: Socket) => void
let onConnection: (socket: Socket) => void

beforeEach(async () => {
  world = openWorld()
  sockets = []
  received = ''
  onBytes = () => {}
  onConnection = (socket) => {
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      onBytes(socket)
    })
  }
  origin = await startRawOrigin((socket) => {
    sockets.push(socket)
    onConnection(socket)
  })
})

afterEach(async () => {
  world.pools.destroy()
  await origin.close()
})

const upstream = (over: Partial<Upstream> = {}) => upstreamTo(origin.port, over)
const post = (over: Partial<Upstream>, body: Readable | Buffer, raw = ['Host', 'h']) =>
  world.ask(upstream(over), { method: 'POST', body, raw })
const ok = 'HTTP/1.1 200 OK\r\n'
const isHeadThere = () => received.includes('\r\n\r\n')
/** Resolves once nothing more of it is read ahead. */
async function standsStill(body: Readable): Promise<void> {
  await until(() => body.readableLength >= body.readableHighWaterMark)
}
const isClosed = (socket: Socket | undefined) => socket?.destroyed || socket?.readableEnded || false

describe('as bytes', () => {
  test('a request goes out as it is, with what belongs to this hop made anew', async () => {
    onBytes = (socket) => socket.write(`${ok}Content-Length: 0\r\n\r\n`)
    const raw = ['host', 'h', 'X-A', '1', 'x-a', '', 'TE', 'trailers']
    await resultOf(world.ask(upstream(), { target: '/%2F/../x?é', raw, method: 'PROPFIND' }))
    expect(received).toBe(
      'PROPFIND /%2F/../x?é HTTP/1.1\r\nhost: h\r\nX-A: 1\r\nx-a: \r\nTE: trailers\r\nConnection: TE\r\n\r\n',
    )
  })

  test.each<[string, Buffer | (() => Readable), string[], string]>([
    ['a whole body with its length', Buffer.from('abc'), ['Content-Length', '3'], 'Content-Length: 3\r\n\r\nabc'],
    ['a whole body without one', Buffer.from('abc'), [], 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
    ['an empty one without one', Buffer.alloc(0), [], 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    [
      'a stream with its length',
      () => Readable.from([Buffer.from('ab'), Buffer.from('c')]),
      ['Content-Length', '3'],
      'Content-Length: 3\r\n\r\nabc',
    ],
    [
      'a stream without one',
      () => Readable.from([Buffer.from('ab'), Buffer.from('c')]),
      [],
      'Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n',
    ],
  ])('%s', async (_, body, raw, expected) => {
    onBytes = (socket) => {
      if (received.endsWith(expected)) socket.write(`${ok}Content-Length: 0\r\n\r\n`)
    }
    const asked = post({}, typeof body === 'function' ? body() : body, ['Host', 'h', ...raw])
    expect(await resultOf(asked)).toBe('200 ')
    expect(received).toBe(`POST / HTTP/1.1\r\nHost: h\r\n${expected}`)
    // The connection is good for another.
    expect(world.pools.http1(upstream().target).size).toBe(1)
  })
})

describe('time', () => {
  beforeEach(freezeTime)

  test('connect: a TLS server that never greets is not waited for longer than connectMs', async () => {
    const asked = world.ask(upstreamTo(origin.port, { connectMs: 30 }, 'https'))
    await until(() => sockets.length === 1)
    expect(await passing(resultOf(asked))).toBe('upstreamConnectTimeout by upstream, unsent')
    await until(() => isClosed(sockets[0]))
  })

  test('first byte: an upstream that says nothing', async () => {
    const asked = world.ask(upstream({ firstByteMs: 30 }))
    await until(isHeadThere)
    expect(await passing(resultOf(asked))).toBe('upstreamFirstByteTimeout by upstream')
    await until(() => isClosed(sockets[0]))
  })

  test('first byte: interim answers and half a head are none', async () => {
    onBytes = (socket) => socket.write('HTTP/1.1 103 \r\n\r\nHTTP/1.1 200 OK\r\n')
    const asked = world.ask(upstream({ firstByteMs: 30 }))
    await until(() => asked.informed.length === 1)
    expect(await passing(resultOf(asked))).toBe('upstreamFirstByteTimeout by upstream')
    expect(asked.informed).toEqual([[103]])
  })

  test('first byte is counted from the last byte of the request, however long that takes to arrive', async () => {
    const body = new PassThrough()
    const asked = post({ firstByteMs: 40 }, body)
    let isSettled = false
    asked.answer.catch(() => {}).finally(() => (isSettled = true))
    for (let piece = 0; piece < 10; piece += 1) {
      body.write('x')
      await until(() => received.split('\r\nx\r\n').length > piece + 1)
      vi.advanceTimersByTime(30)
    }
    expect(isSettled).toBe(false)
    body.end()
    await until(() => received.endsWith('\r\n0\r\n\r\n'))
    expect(await passing(resultOf(asked))).toBe('upstreamFirstByteTimeout by upstream')
  })

  test('first byte is not counted while the upstream still has to read a body that was there at once', async () => {
    onConnection = (socket) => socket.pause()
    const length = 32 * 1024 * 1024
    const asked = post({ firstByteMs: 20, idleMs: 60 }, Buffer.alloc(length), ['Content-Length', `${length}`])
    await until(() => sockets.length === 1)
    expect(await passing(resultOf(asked))).toBe('upstreamIdleTimeout by upstream')
  })

  test('idle: a client that stops sending is to blame itself', async () => {
    const body = new PassThrough()
    body.write('x')
    const asked = post({ idleMs: 30 }, body)
    await until(() => received.endsWith('x\r\n'))
    expect(await passing(resultOf(asked))).toBe('requestTimeout by client')
    await until(() => isClosed(sockets[0]))
  })

  test('idle: a client that stops sending is to blame itself although the answer has begun', async () => {
    onBytes = (socket) => socket.write(`${ok}Content-Length: 9\r\n\r\n`)
    const body = new PassThrough()
    body.write('x')
    const asked = post({ idleMs: 30 }, body)
    const answer = await asked.answer
    const ends: string[] = []
    answer.onEnd(({ how }) => ends.push(how))
    await expect(passing(bodyOf(answer))).rejects.toMatchObject({ code: 'requestTimeout' })
    expect(ends).toEqual(['clientGone'])
  })

  test('idle: an upstream that stops reading is to blame', async () => {
    onConnection = (socket) => socket.pause()
    const body = new Readable({
      read() {
        this.push(Buffer.alloc(64 * 1024))
      },
    })
    const asked = post({ idleMs: 40 }, body)
    await until(() => sockets.length === 1)
    expect(await passing(resultOf(asked))).toBe('upstreamIdleTimeout by upstream')
  })

  test('idle: an upstream that does not say 100 to a client that waits for it is to blame', async () => {
    const asked = post({ idleMs: 30 }, new PassThrough(), ['Host', 'h', 'Expect', '100-continue'])
    await until(isHeadThere)
    expect(await passing(resultOf(asked))).toBe('upstreamIdleTimeout by upstream')
  })

  test('idle: an upstream that falls silent in mid-body breaks the answer', async () => {
    onBytes = (socket) => socket.write(`${ok}Content-Length: 6\r\n\r\nabc`)
    const answer = await world.ask(upstream({ idleMs: 30 })).answer
    const ends: unknown[] = []
    answer.onEnd(({ how, bodyBytes }) => ends.push([how, bodyBytes]))
    await expect(passing(bodyOf(answer))).rejects.toMatchObject({ code: 'upstreamIdleTimeout' })
    expect(ends).toEqual([['upstreamBroke', 3]])
  })

  test('idle: a reader that takes its time is no silence of the upstream’s, and an event stream may be silent', async () => {
    const size = 8_000_000
    onBytes = (socket) => socket.write(`${ok}Content-Length: ${size}\r\n\r\n${'x'.repeat(size)}`)
    const slow = await world.ask(upstream({ idleMs: 20 })).answer
    await standsStill(slow.body as Readable)
    onBytes = (socket) => socket.write(`${ok}Content-Type: Text/Event-Stream; charset=utf-8\r\n\r\n`)
    const events = (await world.ask(upstream({ idleMs: 20 })).answer).body as Readable
    // The end of a longer wait is the measure that theirs would have been over.
    onBytes = () => {}
    expect(await passing(resultOf(world.ask(upstream({ firstByteMs: 60 }))))).toBe(
      'upstreamFirstByteTimeout by upstream',
    )
    expect((await bodyOf(slow)).length).toBe(size)
    expect(events.destroyed).toBe(false)
    events.destroy()
  })
})

describe('who leaves', () => {
  test('before anything: nothing is connected', async () => {
    const asked = world.ask(upstream())
    asked.leave()
    expect(await resultOf(asked)).toBe('clientGone by client')
    const next = world.ask(upstream(), { target: '/next' })
    await until(isHeadThere)
    expect(received).toMatch(/^GET \/next /)
    expect(sockets).toHaveLength(1)
    next.leave()
  })

  test('while the head is waited for: the upstream’s connection ends', async () => {
    const asked = world.ask(upstream())
    await until(isHeadThere)
    asked.leave()
    expect(await resultOf(asked)).toBe('clientGone by client')
    await until(() => isClosed(sockets[0]))
  })

  test('while sending: the upstream’s connection ends, the body stays its owner’s', async () => {
    const body = new PassThrough()
    const asked = post({}, body)
    body.write('x')
    await until(isHeadThere)
    asked.leave()
    await until(() => isClosed(sockets[0]))
    expect(body.destroyed).toBe(false)
    expect(body.isPaused()).toBe(true)
    expect(received).not.toContain('0\r\n\r\n')
  })

  test('in mid-body: the upstream’s connection ends, and the answer says who left', async () => {
    onBytes = (socket) => socket.write(`${ok}Content-Length: 6\r\n\r\nabc`)
    const asked = world.ask(upstream())
    const answer = await asked.answer
    const ends: string[] = []
    answer.onEnd(({ how }) => ends.push(how))
    asked.leave()
    await until(() => isClosed(sockets[0]))
    expect(ends).toEqual(['clientGone'])
  })

  test('a reader that destroys the body ends the upstream’s connection, and so does discarding the answer', async () => {
    onBytes = (socket) => socket.write(`${ok}Content-Length: 6\r\n\r\nabc`)
    const first = await world.ask(upstream()).answer
    ;(first.body as Readable).destroy()
    await until(() => isClosed(sockets[0]))
    const second = await world.ask(upstream()).answer
    second.discard()
    await until(() => isClosed(sockets[1]))
  })

  test('a request body that breaks: the upstream does not take what it got for the whole', async () => {
    const body = new PassThrough()
    const asked = post({}, body)
    body.write('x')
    await until(() => received.includes('x\r\n'))
    body.destroy()
    expect(await resultOf(asked)).toBe('requestBodyBroken by client')
    await until(() => isClosed(sockets[0]))
    expect(received).not.toContain('0\r\n\r\n')
  })

  test('a request body that broke before there was a connection is not sent at all', async () => {
    const body = new PassThrough()
    const asked = post({}, body)
    body.destroy()
    expect(await resultOf(asked)).toBe('requestBodyBroken by client')
    expect(received).toBe('')
  })
})

describe('early and late', () => {
  test('an answer that comes before the request has gone out is the answer, and its connection is not used again', async () => {
    onBytes = (socket) => socket.write(`HTTP/1.1 413 \r\nContent-Length: 3\r\n\r\nbig`)
    const body = new PassThrough()
    body.write('x')
    expect(await resultOf(post({}, body))).toBe('413 big')
    await until(() => isClosed(sockets[0]))
    expect(body.destroyed).toBe(false)
    expect(world.pools.http1(upstream().target).size).toBe(0)
  })

  test('a request and its answer flow at the same time', async () => {
    onBytes = (socket) => {
      socket.write(`${ok}Transfer-Encoding: chunked\r\n\r\n`)
      onBytes = (echoing) => echoing.write('1\r\ny\r\n')
    }
    const body = new PassThrough()
    const answer = await post({}, body).answer
    const echoed = answer.body as Readable
    for (let turn = 0; turn < 3; turn += 1) {
      body.write('x')
      const [piece] = (await once(echoed, 'data')) as [Buffer]
      expect(piece.toString()).toBe('y')
    }
    onBytes = (socket) => {
      if (received.endsWith('0\r\n\r\n')) socket.write('0\r\nX-Sum: 3\r\n\r\n')
    }
    body.end()
    await once(echoed, 'end')
    expect(answer.trailers?.().raw).toEqual(['X-Sum', '3'])
  })

  test('Expect: 100-continue goes through and back, and the body follows', async () => {
    const body = new PassThrough()
    onBytes = (socket) => {
      if (received.endsWith('\r\n\r\n') && received.includes('Expect')) socket.write('HTTP/1.1 100 Continue\r\n\r\n')
      if (received.endsWith('abc')) socket.write(`${ok}Content-Length: 0\r\n\r\n`)
    }
    const asked = post({}, body, ['Content-Length', '3', 'Expect', '100-continue'])
    await until(() => asked.informed.length > 0)
    expect(asked.informed).toEqual([[100]])
    expect(received.endsWith('\r\n\r\n')).toBe(true)
    body.end('abc')
    expect(await resultOf(asked)).toBe('200 ')
  })

  test('request trailers go out behind the body', async () => {
    const body = Readable.from([Buffer.from('x')])
    onBytes = (socket) => {
      if (received.endsWith('\r\n\r\n') && received.includes('\r\n0\r\n'))
        socket.write(`${ok}Content-Length: 0\r\n\r\n`)
    }
    const asked = world.ask(upstream(), { method: 'POST', body, raw: [], trailers: () => fieldsOf(['X-Sum', '1']) })
    expect(await resultOf(asked)).toBe('200 ')
    expect(received.endsWith('\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n')).toBe(true)
  })
})

describe('memory', () => {
  const megabytes = 64 * 1024 * 1024

  test('an upstream is read no faster than the answer’s reader reads', async () => {
    onBytes = (socket) => {
      socket.write(`${ok}Content-Length: ${megabytes}\r\n\r\n`)
      socket.write(Buffer.alloc(megabytes))
    }
    const answer = await world.ask(upstream()).answer
    const body = answer.body as Readable
    await until(() => body.readableLength > 0)
    // What the system's buffers hold has gone out when a second request has had its whole journey.
    onBytes = (socket) => socket.write(`${ok}Content-Length: 0\r\n\r\n`)
    for (let i = 0; i < 20; i += 1) await resultOf(world.ask(upstream()))
    expect(body.readableLength).toBeLessThan(256 * 1024)
    expect(sockets[0]?.writableLength).toBeGreaterThan(megabytes / 4)
    expect((await bodyOf(answer)).length).toBe(megabytes)
  })

  test('a client is read no faster than the upstream reads', async () => {
    onConnection = (socket) => socket.pause()
    let produced = 0
    const body = new Readable({
      read() {
        produced += 64 * 1024
        this.push(produced > megabytes ? null : Buffer.alloc(64 * 1024))
      },
    })
    freezeTime()
    const asked = post({ idleMs: 60 }, body)
    await until(() => sockets.length === 1)
    expect(await passing(resultOf(asked))).toBe('upstreamIdleTimeout by upstream')
    expect(produced).toBeLessThan(megabytes / 2)
  })
})
