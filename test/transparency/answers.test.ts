// What an upstream answers arrives at the client as if it had come directly, but for what differences.ts lists.
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectedAnswer, seenAnswer } from './differences.ts'
import { ask, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world.close())

interface Case {
  readonly answer: string
  /** Of the request; GET. */
  readonly method?: string
  readonly version?: string
  /** Whether the upstream closes behind its answer. */
  readonly closes?: boolean
}

const answer = (fields: readonly string[], body = '', line = 'HTTP/1.1 200 OK') =>
  `${line}\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n${body}`
const sized = (body: string, ...fields: string[]) => answer([...fields, `Content-Length: ${body.length}`], body)
const status = (line: string, ...fields: string[]) => answer([...fields, 'Content-Length: 2'], 'ok', line)
const chunked = (chunks: string, ...fields: string[]) => answer([...fields, 'Transfer-Encoding: chunked'], chunks)
const chunk = (bytes: string) => `${bytes.length.toString(16)}\r\n${bytes}\r\n`
const latin = (buffer: Buffer) => buffer.toString('latin1')

const allBytes = latin(Buffer.from(Array.from({ length: 256 }, (_, i) => i)))
const obsText = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => i + 0x80))
const mebibyte = '0123456789abcdef'.repeat(65_536)

const lines: Record<string, Case> = {
  'an empty reason': { answer: status('HTTP/1.1 200 ') },
  'no reason at all': { answer: status('HTTP/1.1 200') },
  'a long reason': { answer: status(`HTTP/1.1 200 ${'Fine By Me, '.repeat(200)}`) },
  'a reason of another status': { answer: status('HTTP/1.1 404 OK') },
  'a reason of obs-text and tabs': { answer: status(`HTTP/1.1 200 ${obsText}\tx  y`) },
  'a status nobody knows': { answer: status('HTTP/1.1 299 Odd') },
  'a status of no class': { answer: status('HTTP/1.1 799 Odder') },
  'the status 999': { answer: status('HTTP/1.1 999 Request Denied') },
  'HTTP/1.0 with a length': { answer: status('HTTP/1.0 200 OK'), closes: true },
  'HTTP/1.0 until the close': { answer: answer([], 'old body', 'HTTP/1.0 200 OK'), closes: true },
  ...Object.fromEntries(
    [
      200, 201, 202, 203, 226, 300, 301, 302, 307, 308, 400, 401, 403, 404, 405, 407, 409, 410, 412, 413, 417, 418, 421,
      426, 429, 431, 500, 501, 502, 503, 504, 511,
    ].map((code) => [`status ${code}`, { answer: status(`HTTP/1.1 ${code} Own Words`, 'X-A: 1') }]),
  ),
}

const fields: Record<string, Case> = {
  'duplicate Set-Cookie in odd case': {
    answer: sized('ok', 'Set-Cookie: a=1', 'X-A: 1', 'SET-COOKIE: b=2, c', 'set-cookie: a=1'),
  },
  'fields in odd order and case': {
    answer: sized('ok', 'server: x', 'ETag: "1"', 'X-uP: 2', 'dAtE: now', 'etag: "2"'),
  },
  'no Date': { answer: sized('ok') },
  'its own Date and Server': { answer: sized('ok', 'Date: Sun, 06 Nov 1994 08:49:37 GMT', 'Server: Old/1.0') },
  'an empty value': { answer: sized('ok', 'X-Empty:', 'X-Blank:   ') },
  'odd blanks': { answer: sized('ok', 'X-A:1', 'X-B: \t 2 \t', 'X-C: a  b\tc') },
  'obs-text in a value': { answer: sized('ok', `X-Obs: ${obsText}`) },
  'UTF-8 in a file name': {
    answer: sized('ok', `Content-Disposition: attachment; filename="${latin(Buffer.from('Łódź.pdf'))}"`),
  },
  'odd but legal names': {
    answer: sized('ok', "!#$%&'*+-.^_`|~: 1", '1: 2', 'X_Y: 3', '__proto__: 4', 'constructor: 5'),
  },
  'a field of 40 KiB': { answer: sized('ok', `X-Long: ${'v'.repeat(40 * 1024)}`) },
  'a head of 200 KiB': { answer: sized('ok', ...Array.from({ length: 200 }, (_, i) => `X-${i}: ${'v'.repeat(1000)}`)) },
  '300 fields': { answer: sized('ok', ...Array.from({ length: 300 }, (_, i) => `X-${i}: ${i}`)) },
  'Via of its own': { answer: sized('ok', 'Via: 1.1 backend', 'X-Request-Id: theirs', 'X-Forwarded-For: theirs') },
  'cache fields': {
    answer: sized('ok', 'Cache-Control: private', 'Cache-Control: max-age=0', 'Age: 5', 'Vary: *', 'Expires: 0'),
  },
  redirects: { answer: answer(['Location: http://127.0.0.1:1/x y', 'Content-Length: 0'], '', 'HTTP/1.1 302 Found') },
  'a challenge for the proxy': {
    answer: status('HTTP/1.1 407 Auth', 'Proxy-Authenticate: Basic', 'WWW-Authenticate: Basic'),
  },
  'Connection: close': { answer: sized('ok', 'Connection: close', 'X-A: 1'), closes: true },
  'Connection: keep-alive with Keep-Alive': {
    answer: sized('ok', 'Connection: Keep-Alive', 'Keep-Alive: timeout=5, max=100'),
  },
  'Connection names a field': { answer: sized('ok', 'Connection: X-Hop', 'X-Hop: 1', 'X-End: 2') },
  'Upgrade as an offer': { answer: sized('ok', 'Upgrade: h2c', 'Connection: Upgrade') },
  'Alt-Svc and others of a modern origin': {
    answer: sized('ok', 'Alt-Svc: h3=":443"', 'Strict-Transport-Security: max-age=1', 'Server-Timing: a;dur=1'),
  },
}

const bodies: Record<string, Case> = {
  'Content-Length: 0': { answer: sized('') },
  'a length with leading zeros': { answer: answer(['Content-Length: 002'], 'ok') },
  'every byte': { answer: sized(allBytes) },
  'a body that looks like an answer': { answer: sized(sized('x')) },
  '1 MiB with a length': { answer: sized(mebibyte) },
  '1 MiB in chunks': { answer: chunked(`100000\r\n${mebibyte}\r\n0\r\n\r\n`) },
  '1 MiB until the close': { answer: answer([], mebibyte), closes: true },
  'one chunk': { answer: chunked('2\r\nok\r\n0\r\n\r\n') },
  'no chunk': { answer: chunked('0\r\n\r\n') },
  'chunks of one byte': {
    answer: chunked(`${[...'single bytes'].map((byte) => `1\r\n${byte}\r\n`).join('')}0\r\n\r\n`),
  },
  'chunk sizes in odd case with zeros': { answer: chunked('00A\r\n0123456789\r\n0b\r\n01234567890\r\n00\r\n\r\n') },
  'chunk extensions': { answer: chunked('2;a=b;c="d e"\r\nok\r\n0;x\r\n\r\n') },
  'the coding in odd case': { answer: answer(['transfer-encoding: CHUNKED'], '2\r\nok\r\n0\r\n\r\n') },
  trailers: { answer: chunked('2\r\nok\r\n0\r\nX-Sum: 42\r\nx-sum: 43\r\nX-E:\r\n\r\n', 'Trailer: X-Sum') },
  'a trailer behind no chunk': { answer: chunked('0\r\nX-Sum: 42\r\n\r\n', 'Trailer: X-Sum') },
  'a trailer of obs-text': { answer: chunked(`2\r\nok\r\n0\r\nX-Sum: ${obsText}\r\n\r\n`) },
  'a trailer behind 1 MiB': { answer: chunked(`100000\r\n${mebibyte}\r\n0\r\nX-Sum: 42\r\n\r\n`) },
  'until the close': { answer: answer(['Content-Type: text/plain'], 'until the close'), closes: true },
  'nothing until the close': { answer: answer([]), closes: true },
  gzip: { answer: sized(latin(gzipSync('squeezed')), 'Content-Encoding: gzip', 'Vary: Accept-Encoding') },
  'gzip in chunks': {
    answer: chunked(`${chunk(latin(gzipSync('x')))}0\r\n\r\n`, 'Content-Encoding: gzip'),
  },
  'a range': {
    answer: answer(['Content-Range: bytes 0-1/9', 'Content-Length: 2'], 'ok', 'HTTP/1.1 206 Partial Content'),
  },
  'two ranges': {
    answer: answer(
      ['Content-Type: multipart/byteranges; boundary=B', 'Transfer-Encoding: chunked'],
      `${chunk('--B\r\nContent-Range: bytes 0-0/2\r\n\r\na\r\n--B\r\nCont')}${chunk('ent-Range: bytes 1-1/2\r\n\r\nb\r\n--B--\r\n')}0\r\n\r\n`,
      'HTTP/1.1 206 Partial Content',
    ),
  },
  'a range that cannot be': {
    answer: answer(['Content-Range: bytes */9', 'Content-Length: 0'], '', 'HTTP/1.1 416 No'),
  },
}

const none: Record<string, Case> = {
  'HEAD with a length': { method: 'HEAD', answer: answer(['Content-Length: 1234', 'ETag: "x"']) },
  'HEAD of chunks': { method: 'HEAD', answer: answer(['Transfer-Encoding: chunked']) },
  'HEAD of neither': { method: 'HEAD', answer: answer(['X-A: 1']) },
  'HEAD of a 404': { method: 'HEAD', answer: answer(['Content-Length: 9'], '', 'HTTP/1.1 404 Not Found') },
  '204': { answer: answer(['X-A: 1'], '', 'HTTP/1.1 204 No Content') },
  '204 with a length': { answer: answer(['Content-Length: 0'], '', 'HTTP/1.1 204 No Content') },
  '204 with a length of a body': { answer: answer(['Content-Length: 7'], '', 'HTTP/1.1 204 No Content') },
  '204 with chunks declared': {
    answer: answer(['Transfer-Encoding: chunked', 'X-A: 1'], '', 'HTTP/1.1 204 No Content'),
  },
  '304': { answer: answer(['ETag: "x"'], '', 'HTTP/1.1 304 Not Modified') },
  '304 with the length of what it saves': {
    answer: answer(['ETag: "x"', 'Content-Length: 99'], '', 'HTTP/1.1 304 Not Modified'),
  },
  '304 with a type and chunks declared': {
    answer: answer(['Content-Type: a/b', 'Transfer-Encoding: chunked'], '', 'HTTP/1.1 304 Not Modified'),
  },
  '205 with a body': { answer: status('HTTP/1.1 205 Reset Content') },
  'POST with 204': { method: 'POST', answer: answer([], '', 'HTTP/1.1 204 No Content') },
  'OPTIONS with 200': { method: 'OPTIONS', answer: answer(['Allow: GET, HEAD', 'Content-Length: 0']) },
}

const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>\r\n\r\n'
const interim: Record<string, Case> = {
  'early hints': { answer: early + sized('ok') },
  'early hints twice': { answer: early + early + sized('ok') },
  'three different interim answers': {
    answer: `HTTP/1.1 102 Processing\r\n\r\n${early}HTTP/1.1 100 Continue\r\n\r\n${sized('ok')}`,
  },
  'an interim answer with its own reason': { answer: `HTTP/1.1 103 My Hints\r\nX: 1\r\n\r\n${sized('ok')}` },
  '100 that nobody asked for': { answer: `HTTP/1.1 100 Continue\r\n\r\n${sized('ok')}` },
  'early hints before HEAD': { method: 'HEAD', answer: `${early}${answer(['Content-Length: 2'])}` },
  'early hints before 304': { answer: early + answer(['ETag: "x"'], '', 'HTTP/1.1 304 Not Modified') },
  'early hints with a field of this hop': {
    answer: `HTTP/1.1 103 Early Hints\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\nX: 1\r\n\r\n${sized('ok')}`,
  },
}

for (const [table, cases] of Object.entries({ lines, fields, bodies, none, interim })) {
  describe(`${table} of an answer`, () => {
    test.each(Object.entries(cases))('%s', async (_, { answer: bytes, method = 'GET', closes = false }) => {
      world.script = ({ socket }) => {
        socket.write(bytes, 'latin1')
        if (closes) socket.end()
      }
      const request = `${method} /x HTTP/1.1\r\nHost: shop.example\r\n\r\n`
      const direct = await ask(world, world.port, { request })
      const through = await ask(world, world.gateway.port, { request })
      expect(direct.got.every(({ isWhole }) => isWhole)).toBe(true)
      expect(through.got.map(seenAnswer)).toEqual(direct.got.map(expectedAnswer))
      expect(through.isKept).toBe(true)
    })
  })
}

describe('answers to a client of HTTP/1.0', () => {
  const old: Record<string, Case> = {
    'with a length': { answer: sized('ok', 'X-A: 1') },
    'in chunks, with a trailer': { answer: chunked('2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n') },
    'until the close': { answer: answer([], 'ok'), closes: true },
    'behind early hints': { answer: early + sized('ok') },
    'without a body': { answer: answer([], '', 'HTTP/1.1 304 Not Modified') },
  }
  test.each(Object.entries(old))('%s', async (_, { answer: bytes, closes = false }) => {
    world.script = ({ socket }) => {
      socket.write(bytes, 'latin1')
      if (closes) socket.end()
    }
    const direct = await ask(world, world.port, { request: 'GET /x HTTP/1.1\r\nHost: h\r\n\r\n' })
    const through = await ask(world, world.gateway.port, {
      request: 'GET /x HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\n\r\n',
    })
    // RFC 9112 §6.1 and RFC 9110 §15.2: HTTP/1.0 knows neither chunks, so no trailers, nor interim answers.
    const final = direct.got.slice(-1).map((message) => ({ ...expectedAnswer(message), trailers: [] }))
    expect(through.got.map(seenAnswer)).toEqual(final)
    expect(through.got[0]?.fields.filter((line) => /^(transfer-encoding|connection)/i.test(line))).toEqual([
      'Connection: close',
    ])
    expect(through.isKept).toBe(false)
  })
})

test.each([
  ['HEAD', answer(['Trailer: X-Sum', 'Transfer-Encoding: chunked', 'X-A: 1'])],
  ['GET', sized('ok', 'Trailer: X-Sum', 'X-A: 1')],
])('Trailer on an answer to %s that has none passes, or is left out', async (method, bytes) => {
  world.script = ({ socket }) => socket.write(bytes, 'latin1')
  const { got } = await ask(world, world.gateway.port, { request: `${method} /x HTTP/1.1\r\nHost: h\r\n\r\n` })
  const fields = got
    .map(seenAnswer)
    .flatMap((message) => message.fields)
    .filter((line) => !line.startsWith('Content'))
  expect(got[0]?.start).toBe('HTTP/1.1 200 OK')
  expect(fields).toEqual(process.env.BANYAN_DOOR === 'general' ? ['X-A: 1'] : ['Trailer: X-Sum', 'X-A: 1'])
})
