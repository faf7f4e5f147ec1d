// Heads, bodies and changes of doors, however the bytes are cut into packets.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openWire } from '../harness/wire.ts'
import { answerOf, isGeneral, openPlace, type Place, writePieces } from './place.ts'

let place: Place
beforeAll(async () => {
  place = await openPlace()
})
beforeEach(() => {
  place.lines.length = 0
})
afterAll(() => place.close())

const host = 'Host: h\r\n'
const plain = (target: string) => `GET ${target} HTTP/1.1\r\n${host}X-A: 1\r\n\r\n`
const fast = (body: string) => (isGeneral ? general(body) : answerOf(body))
const general = (body: string) => answerOf(body).replace('Trailer: by-the-fast-door\r\n', '')

/** What a request is answered on a connection that has not changed doors yet, and whether it then has. */
const shapes: Record<string, { bytes: string; body: string; isHanded: boolean }> = {
  'a plain request': { bytes: plain('/p'), body: '/p', isHanded: false },
  'a body with a length': {
    bytes: `POST /l HTTP/1.1\r\n${host}Content-Length: 6\r\n\r\nbo\r\n\r\n`,
    body: '/lbo\r\n\r\n',
    isHanded: false,
  },
  'an absolute target': { bytes: `GET http://h/a HTTP/1.1\r\n${host}\r\n`, body: 'http://h/a', isHanded: true },
  'an expectation': { bytes: `GET /e HTTP/1.1\r\n${host}Expect: it\r\n\r\n`, body: '/e', isHanded: true },
  'an Upgrade that is none': { bytes: `GET /u HTTP/1.1\r\n${host}Upgrade: h2c\r\n\r\n`, body: '/u', isHanded: true },
  'an empty line before it': { bytes: `\r\n${plain('/n')}`, body: '/n', isHanded: true },
}

describe.each(Object.entries(shapes))('%s', (name, { bytes, body, isHanded }) => {
  const own = isHanded ? general(body) : fast(body)
  const next = isHanded ? general('/next') : fast('/next')
  // Only an answer that is the last of its connection says so: an expectation that nobody met is.
  const isLast = name === 'an expectation'
  const last = (answer: string) => answer.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
  const expected = `${fast('/first')}${isLast ? last(own) : own + next}`

  test.each(Array.from({ length: bytes.length }, (_, i) => i))(
    'cut at byte %i, behind another and before the next',
    async (at) => {
      const wire = await openWire(place.port)
      await writePieces(wire, [plain('/first') + bytes.slice(0, at), bytes.slice(at) + plain('/next')])
      while (wire.received().length < expected.length) await new Promise((resolve) => wire.socket.once('data', resolve))
      expect(wire.received()).toBe(expected)
      wire.socket.destroy()
    },
  )

  test('byte by byte', async () => {
    const wire = await openWire(place.port)
    await writePieces(wire, [...(plain('/first') + bytes + plain('/next'))])
    while (wire.received().length < expected.length) await new Promise((resolve) => wire.socket.once('data', resolve))
    expect(wire.received()).toBe(expected)
    wire.socket.destroy()
  })
})

test('a connection that was handed over once stays there', async () => {
  const wire = await openWire(place.port, plain('/0') + plain('/1') + shapes['an absolute target']?.bytes + plain('/3'))
  await wire.until(/\/3$/)
  wire.socket.write(plain('/4') + plain('/5'))
  await wire.until(/\/5$/)
  expect(wire.received()).toBe([fast('/0'), fast('/1'), ...['http://h/a', '/3', '/4', '/5'].map(general)].join(''))
  wire.socket.destroy()
})

test('what comes behind a handed head in the same packet is not lost, nor doubled', async () => {
  const odd = `POST http://h/up HTTP/1.1\r\n${host}Content-Length: 100000\r\n\r\n`
  const wire = await openWire(place.port, plain('/0') + odd + 'b'.repeat(100_000) + plain('/2'))
  await wire.until(/\/2$/)
  expect(wire.received()).toBe(fast('/0') + general(`http://h/up${'b'.repeat(100_000)}`) + general('/2'))
  expect(place.lines).toHaveLength(3)
  wire.socket.destroy()
})

test.each([16_300, 16_384, 16_500, 60_000])('a head of %i bytes passes whole', async (size) => {
  const padding = 'x'.repeat(size - `GET /big HTTP/1.1\r\n${host}X: \r\n\r\n`.length)
  const wire = await openWire(place.port, `GET /big HTTP/1.1\r\n${host}X: ${padding}\r\n\r\n`)
  await wire.until(/\/big$/)
  expect(wire.received()).toBe(size <= 16_384 ? fast('/big') : general('/big'))
  wire.socket.destroy()
})

test.each([200, 201, 1000])('%i fields pass whole', async (count) => {
  const wire = await openWire(place.port, `GET /many HTTP/1.1\r\n${host}${'X: 1\r\n'.repeat(count - 1)}\r\n`)
  await wire.until(/\/many$/)
  expect(wire.received()).toBe(count <= 200 ? fast('/many') : general('/many'))
  wire.socket.destroy()
})

test('the general door’s 431 comes behind the fast door’s answers', async () => {
  const wire = await openWire(place.port, `${plain('/0')}GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(70_000)}\r\n\r\n`)
  const { received } = await wire.closed()
  expect(received.startsWith(`${fast('/0')}HTTP/1.1 431 `)).toBe(true)
  expect(place.lines).toEqual(['GET /0 HTTP/1.1'])
})
