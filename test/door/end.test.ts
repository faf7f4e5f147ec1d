// How a connection ends: whose word it is, and that nothing of the last answer is lost.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { places } from '../harness/places.ts'
import { openWire } from '../harness/wire.ts'
import { openPlace, type Place } from './place.ts'

let place: Place
const header = places.replace('public: {', 'public: { keepAlive: 1s, drain: 20s,')
beforeEach(async () => {
  place = await openPlace(header, { headTimeoutMs: 1_000 })
})
afterEach(() => place.close())

const get = (target: string, ...fields: string[]) =>
  `GET ${target} HTTP/1.1\r\nHost: h\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`
const refusals = (code: string) => place.gateway.metric(`banyan_refused_requests_total{code="${code}"}`)

/** The upstream's connection of the next request, once its head is there. */
function nextAsked(): Promise<Socket> {
  return new Promise((resolve) => {
    place.onConnection = (socket) => {
      socket.once('data', () => resolve(socket))
      socket.on('end', () => socket.end())
    }
  })
}

test('Connection: close is answered with the same and an end behind the last byte', async () => {
  const wire = await openWire(place.port, get('/a') + get('/b', 'Connection: close') + get('/c'))
  const { received, isClean } = await wire.closed()
  expect(isClean).toBe(true)
  expect(received).toMatch(/\r\nConnection: close\r\n\r\n\/b$/)
  expect(place.lines).toEqual(['GET /a HTTP/1.1', 'GET /b HTTP/1.1'])
})

test('the last answer is not lost to a client that goes on sending', async () => {
  const asked = nextAsked()
  const wire = await openWire(
    place.port,
    'POST /up HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 50000000\r\n\r\n',
  )
  const upstream = (await asked).pause()
  wire.socket.write(Buffer.alloc(20_000_000))
  upstream.write(`HTTP/1.1 413 No\r\nContent-Length: 1000000\r\n\r\n${'n'.repeat(999_999)}.`)
  while (wire.received().length < 1_000_000) await once(wire.socket, 'data')
  wire.socket.write(Buffer.alloc(1_000_000))
  const { received, isClean } = await wire.closed()
  expect(isClean).toBe(true)
  expect(received.split('\r\n\r\n')[0]).toMatch(/^HTTP\/1\.1 413 No\r\n[\s\S]*Connection: close$/)
  expect(received.endsWith('n.')).toBe(true)
})

test('what comes behind the last request is read off and never asked', async () => {
  let count = 0
  place.onConnection = (socket) => {
    count += 1
    socket.once('data', () => socket.write('HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno'))
    socket.on('end', () => socket.end())
  }
  const last = 'POST /up HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\n'
  const wire = await openWire(place.port, last)
  wire.socket.allowHalfOpen = true
  await wire.until(/no$/)
  wire.socket.end(`hello${get('/after')}`)
  expect((await wire.closed()).received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413'])
  expect(count).toBe(1)
})

test('an idle connection is closed after keepAlive, a new one too', async () => {
  const [fresh, used] = [await openWire(place.port), await openWire(place.port, get('/x'))]
  const [one, other] = await Promise.all([fresh.closed(), used.closed()])
  expect([one.received, one.isClean]).toEqual(['', true])
  expect(other.received).toMatch(/\/x$/)
  expect(other.isClean).toBe(true)
})

test.each(['', 'GET /first HTTP/1.1\r\nHost: h\r\n\r\n'])(
  'a head that takes too long is answered 408 once',
  async (before) => {
    // A client that keeps its side open: a refusal said twice would be seen here.
    const wire = await openWire(place.port, `${before}GET /slow HTTP/1.1\r\nHost: h\r\n`)
    const { received } = await wire.closed()
    expect(received.match(/HTTP\/1\.1 408 /g)).toHaveLength(1)
    expect(await refusals('requestTimeout')).toBe(1)
    expect(place.lines).toEqual(before ? ['GET /first HTTP/1.1'] : [])
  },
)

test('a head that takes too long is counted once also when its client does not close', async () => {
  const wire = await openWire(place.port, 'GET /slow HTTP/1.1\r\n')
  wire.socket.allowHalfOpen = true
  // What is sent to a connection that is gone comes back as a reset.
  for (let count = 0; !wire.socket.destroyed; count = await refusals('requestTimeout')) {
    expect(count).toBeLessThan(2)
    wire.socket.write('x')
  }
  expect(await refusals('requestTimeout')).toBe(1)
})

test('an upload that is read off ends with keepAlive when its client sends no more', async () => {
  const asked = nextAsked()
  const wire = await openWire(place.port, 'POST /up HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nbegun')
  ;(await asked).write('HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno')
  const { received } = await wire.closed()
  expect(received).toBe('HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno')
})

describe('a chunk that is none', () => {
  const head = 'POST /bad HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n'

  test('gets 400, an end, and nothing behind it is a request', async () => {
    const asked = nextAsked()
    const wire = await openWire(place.port, `${head}5\r\nfirst\r\n`)
    const upstream = await asked
    const gone = once(upstream, 'close')
    wire.socket.write(`xyz\r\n${get('/smuggled')}`)
    const { received } = await wire.closed()
    await gone
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400'])
    expect(received).toContain('"code":"requestBodyBroken"')
    expect(place.lines).toEqual([])
  })

  test('behind the head of the answer cuts the connection', async () => {
    const asked = nextAsked()
    const wire = await openWire(place.port, `${head}5\r\nfirst\r\n`)
    const upstream = await asked
    upstream.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun')
    await wire.until(/begun$/)
    wire.socket.write('xyz\r\n')
    const { received } = await wire.closed()
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*begun$/)
  })

  test('in an upload that is read off cuts the connection', async () => {
    const asked = nextAsked()
    const wire = await openWire(place.port, `${head}5\r\nfirst\r\n`)
    ;(await asked).write('HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno')
    await wire.until(/no$/)
    wire.socket.write(`xyz\r\n${get('/smuggled')}`)
    expect((await wire.closed()).received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 413'])
    expect(place.lines).toEqual([])
  })
})

test('a client that leaves in any phase leaves nothing behind', async () => {
  const post = 'POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n'
  for (const bytes of ['', 'GET /x HT', get('/x').slice(0, -2), `${get('/x')}GET /y`]) {
    const wire = await openWire(place.port, bytes)
    wire.socket.resetAndDestroy()
    await once(wire.socket, 'close')
  }
  for (const bytes of [get('/x'), post, `${post}half`, `${get('/x')}${get('/y')}`, get('http://h/x')]) {
    const asked = nextAsked()
    const wire = await openWire(place.port, bytes)
    const gone = once(await asked, 'close')
    wire.socket.destroy()
    await gone
  }
  const wire = await openWire(place.port, get('/healthy', 'Connection: close'))
  const asked = nextAsked()
  ;(await asked).write('HTTP/1.1 204 No Content\r\n\r\n')
  await wire.closed()
  expect(await place.gateway.metric('banyan_requests_in_flight')).toBe(0)
})

test('while draining each answer is the last of its connection, and what is idle is closed', async () => {
  const asked = nextAsked()
  const busy = await openWire(place.port, get('/busy'))
  const handed = await openWire(place.port)
  const upstream = await asked
  const askedToo = nextAsked()
  handed.socket.write(get('http://h/odd'))
  const other = await askedToo
  const idle = await openWire(place.port)
  const drained = place.gateway.gateway.drain()
  expect((await idle.closed()).received).toBe('')
  for (const socket of [upstream, other]) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  for (const wire of [busy, handed]) {
    const { received, isClean } = await wire.closed()
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok$/)
    expect(isClean).toBe(true)
  }
  await drained
})
