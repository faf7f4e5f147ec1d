// When bytes come, in which order, and how a connection ends: the same through the gateway as without it.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openWire } from '../harness/wire.ts'
import { expectedAnswer, seenAnswer } from './differences.ts'
import { readAnswers } from './messages.ts'
import { answered, ask, askAgain, startWorld } from './world.ts'

const world = await startWorld()
const { port: direct } = world
const through = world.gateway.port
afterAll(() => world.close())

const ok = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const get = (target: string, ...fields: string[]) =>
  `GET ${target} HTTP/1.1\r\nHost: h\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`
const targetOf = (start: string) => start.split(' ')[1] ?? ''

beforeEach(() => {
  world.onHead = () => {}
  world.script = ({ socket, request }) => socket.write(ok(targetOf(request.start) + request.body))
})

test('10 000 requests on one connection are answered each with its own', async () => {
  world.requests.length = 0
  const { socket } = await openWire(through)
  let received = ''
  let count = 0
  await new Promise<void>((resolve, reject) => {
    socket.on('close', () => reject(new Error(`the connection ended after ${count}`)))
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (received.length < ok(`/r/${count}`).length) return
      expect(received).toBe(ok(`/r/${count}`))
      received = ''
      count += 1
      if (count === 10_000) resolve()
      else socket.write(get(`/r/${count}`))
    })
    socket.write(get('/r/0'))
  })
  socket.destroy()
  expect(world.requests.map(({ start }) => targetOf(start))).toEqual(
    Array.from({ length: 10_000 }, (_, i) => `/r/${i}`),
  )
})

describe('pipelined', () => {
  const long = `X-Long: ${'v'.repeat(20_000)}`
  const cases: Record<string, readonly string[]> = {
    GETs: Array.from({ length: 50 }, (_, i) => get(`/${i}`)),
    'bodies with lengths and chunks': Array.from({ length: 30 }, (_, i) =>
      i % 2
        ? `POST /${i} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nb${i % 10}`
        : `POST /${i} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nc${i % 10}\r\n0\r\n\r\n`,
    ),
    'ordinary and odd requests in turn': Array.from({ length: 30 }, (_, i) =>
      i % 3 === 2 ? get(`/${i}`, long) : get(`/${i}`),
    ),
    'an absolute target behind ordinary ones': [get('/0'), get('/1'), get('http://h/2'), get('/3'), get('http://h/4')],
    'HEAD among GETs': [get('/0'), 'HEAD /1 HTTP/1.1\r\nHost: h\r\n\r\n', get('/2')],
    'an empty line between two': [get('/0'), `\r\n${get('/1')}`, get('/2')],
    '300 KB of requests': Array.from({ length: 300 }, (_, i) => get(`/${i}`, `X-Long: ${'v'.repeat(1000)}`)),
  }
  const headless = (bytes: string, isHead: boolean) => (isHead ? bytes.slice(0, bytes.indexOf('\r\n\r\n') + 4) : bytes)

  test.each(Object.entries(cases))('%s are answered in order', async (_, requests) => {
    world.script = ({ socket, request }) =>
      socket.write(headless(ok(targetOf(request.start)), request.start.startsWith('HEAD')))
    const methods = requests.map((one) => one.trimStart().split(' ')[0] ?? '')
    const { got, seen, isKept } = await ask(world, through, { request: requests.join(''), methods })
    const targets = requests.map((one) => targetOf(one.trimStart()))
    expect(got.map(({ body }) => body)).toEqual(targets.map((target, i) => (methods[i] === 'HEAD' ? '' : target)))
    expect(seen.map(({ start }) => targetOf(start))).toEqual(targets)
    expect(isKept).toBe(true)
  })

  test('a slow answer keeps those behind it waiting, also where the connection changes doors', async () => {
    let release = () => {}
    const isHeld = new Promise<void>((resolve) => {
      world.script = ({ socket, request }) => {
        const answer = () => socket.write(ok(targetOf(request.start)))
        if (!request.start.includes('/slow')) return answer()
        release = answer
        resolve()
      }
    })
    const wire = await openWire(through, get('/slow') + get('http://h/odd') + get('/last'))
    await isHeld
    expect(wire.received()).toBe('')
    release()
    await answered(wire, ['GET', 'GET', 'GET'])
    expect(readAnswers(wire.received(), ['GET', 'GET', 'GET'], false).map(({ body }) => body)).toEqual([
      '/slow',
      'http://h/odd',
      '/last',
    ])
    wire.socket.destroy()
  })
})

describe('an event stream', () => {
  test.each([
    ['in chunks', 'Transfer-Encoding: chunked', (event: string) => `${event.length.toString(16)}\r\n${event}\r\n`],
    ['until the close', 'Cache-Control: no-store', (event: string) => event],
  ])('%s arrives event by event, its head before the first', async (_, field, coded) => {
    const asked = new Promise<Socket>((resolve) => {
      world.script = ({ socket }) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n${field}\r\n\r\n`)
        resolve(socket)
      }
    })
    const wire = await openWire(through, get('/events', 'Accept: text/event-stream'))
    const upstream = await asked
    await wire.until(/text\/event-stream[\s\S]*\r\n\r\n/)
    for (let i = 0; i < 20; i += 1) {
      upstream.write(coded(`id: ${i}\ndata: event ${i}\n\n`))
      await wire.until(new RegExp(`data: event ${i}\n\n`))
    }
    const gone = once(upstream, 'close')
    wire.socket.destroy()
    await gone
  })
})

describe('Expect: 100-continue', () => {
  const head = 'POST /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n'

  test('passes, and the upstream’s 100 comes before the body is sent', async () => {
    world.onHead = ({ socket }) => socket.write('HTTP/1.1 100 Continue\r\n\r\n')
    for (const port of [direct, through]) {
      world.requests.length = 0
      const wire = await openWire(port, head)
      expect(await wire.until(/\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n')
      wire.socket.write('body')
      await answered(wire, ['POST'])
      expect(wire.received()).toBe(`HTTP/1.1 100 Continue\r\n\r\n${ok('/xbody')}`)
      wire.socket.write(askAgain)
      await wire.until(/\r\n\r\nagain$/)
      expect(world.requests[0]?.fields).toContain('Expect: 100-continue')
      wire.socket.destroy()
    }
  })

  test.each(['417 Expectation Failed', '413 Too Large', '401 Who'])(
    'a %s before the body arrives, and no body is asked for',
    async (status) => {
      world.onHead = ({ socket }) => socket.write(`HTTP/1.1 ${status}\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nno`)
      const [one, other] = [await ask(world, direct, { request: head }), await ask(world, through, { request: head })]
      expect(other.got.map(seenAnswer)).toEqual(one.got.map(expectedAnswer))
      expect(other.isKept).toBe(false)
    },
  )

  test('an upstream that says nothing until it has the body gets it', async () => {
    const heard = new Promise<void>((resolve) => {
      world.onHead = () => resolve()
    })
    const wire = await openWire(through, head)
    await heard
    expect(wire.received()).toBe('')
    wire.socket.write('body')
    const { received, isClean } = await wire.closed()
    expect(received).toBe(ok('/xbody').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    expect(isClean).toBe(true)
  })

  test('another expectation is the upstream’s to judge', async () => {
    world.script = ({ socket }) => socket.write('HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n')
    const { got, seen } = await ask(world, through, { request: get('/x', 'Expect: the-unexpected') })
    expect(seen[0]?.fields).toContain('Expect: the-unexpected')
    expect(got[0]?.start).toBe('HTTP/1.1 417 No')
  })
})

describe('an early answer', () => {
  const size = 8 * 1024 * 1024
  test.each([
    ['with a length', `Content-Length: ${size}`, 'z'.repeat(size)],
    ['in chunks', 'Transfer-Encoding: chunked', `${size.toString(16)}\r\n${'z'.repeat(size)}\r\n0\r\n\r\n`],
  ])('to an upload %s arrives before the upload has ended, and the connection goes on', async (_, field, body) => {
    world.onHead = ({ socket, request }) => {
      if (request.start.includes('/up')) socket.write('HTTP/1.1 413 Too Large\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nno')
    }
    world.script = () => {}
    const wire = await openWire(through, `POST /up HTTP/1.1\r\nHost: h\r\n${field}\r\n\r\n`)
    await answered(wire, ['POST'])
    expect(wire.received()).toBe('HTTP/1.1 413 Too Large\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nno')
    wire.socket.write(body)
    wire.socket.write(askAgain)
    await wire.until(/\r\n\r\nagain$/)
    wire.socket.destroy()
  })
})

describe('an upstream that closes', () => {
  const broken: Record<string, readonly string[]> = {
    'in a body with a length': ['HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n', 'short'],
    'in a chunk': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'a\r\nshort'],
    'between two chunks': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', '5\r\nshort\r\n'],
    'before the last line of the chunks': [
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      '5\r\nshort\r\n0\r\nX: 1\r\n',
    ],
  }
  test.each(Object.entries(broken))(
    '%s leaves the client with what came and no clean end',
    async (_, [head = '', piece = '']) => {
      world.script = ({ socket }) => {
        socket.write(head)
        socket.end(piece)
      }
      const [one, other] = [
        await ask(world, direct, { request: get('/x') }),
        await ask(world, through, { request: get('/x') }),
      ]
      expect(one.got.map(({ isWhole }) => isWhole)).toEqual([false])
      expect(other.got.map(({ isWhole, start }) => [isWhole, start])).toEqual([[false, 'HTTP/1.1 200 OK']])
      expect(other.isKept).toBe(false)
    },
  )

  test.each(['1.1', '1.0'])(
    'with a reset in an answer that lasts until the close leaves no clean end, to HTTP/%s either',
    async (version) => {
      world.script = ({ socket }) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\nshort')
        wire.until(/short/).then(() => socket.resetAndDestroy())
      }
      const wire = await openWire(through, get('/x').replace('HTTP/1.1', `HTTP/${version}`))
      const { received, isClean } = await wire.closed()
      expect(received).not.toContain('\r\n0\r\n')
      expect(isClean && version === '1.0').toBe(false)
    },
  )

  test('before its head is a 502, and the connection goes on', async () => {
    world.script = ({ socket }) => socket.end('HTTP/1.1 200 OK\r\nX-Half')
    const { got, isKept } = await ask(world, through, { request: get('/x') })
    expect(got[0]?.start).toBe('HTTP/1.1 502 Bad Gateway')
    expect(isKept).toBe(true)
  })
})

describe('a client that leaves', () => {
  test('in its upload ends the upstream’s connection, and nobody takes the upload for whole', async () => {
    for (const field of ['Content-Length: 10', 'Transfer-Encoding: chunked']) {
      world.requests.length = 0
      const heard = new Promise<Socket>((resolve) => {
        world.onHead = ({ socket }) => resolve(socket)
      })
      const wire = await openWire(through, `POST /x HTTP/1.1\r\nHost: h\r\n${field}\r\n\r\n5\r\n`)
      const gone = once(await heard, 'close')
      wire.socket.destroy()
      await gone
      expect(world.requests).toEqual([])
    }
  })

  test('in its answer ends the upstream’s connection', async () => {
    const heard = new Promise<Socket>((resolve) => {
      world.script = ({ socket }) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst')
        resolve(socket)
      }
    })
    const wire = await openWire(through, get('/x'))
    const upstream = await heard
    await wire.until(/first/)
    const gone = once(upstream, 'close')
    wire.socket.destroy()
    await gone
  })

  test('with an end of his side alone gets no answer, as differences.ts says', async () => {
    const heard = new Promise<Socket>((resolve) => {
      world.script = ({ socket }) => resolve(socket)
    })
    const wire = await openWire(through, get('/x'))
    const upstream = await heard
    const gone = once(upstream, 'close')
    wire.socket.end()
    await gone
    expect((await wire.closed()).received).toBe('')
  })
})
