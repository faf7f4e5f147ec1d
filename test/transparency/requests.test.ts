// What a client asks arrives at the upstream as if it had been sent there directly, but for what differences.ts lists.
import { METHODS } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectedRequest, seenRequest } from './differences.ts'
import { valuesOf } from './messages.ts'
import { ask, methodOf, startWorld, type World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
  world.script = ({ socket, request }) =>
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${request.start.startsWith('HEAD ') ? '' : 'ok'}`)
})
afterAll(() => world.close())

const host = 'Host: shop.example'
const request = (line: string, fields: readonly string[] = [], body = '') =>
  `${line} HTTP/1.1\r\n${[host, ...fields].map((field) => `${field}\r\n`).join('')}\r\n${body}`
const get = (...fields: string[]) => request('GET /x', fields)
const sized = (body: string, ...fields: string[]) =>
  request('POST /x', [...fields, `Content-Length: ${body.length}`], body)
const chunked = (chunks: string, ...fields: string[]) =>
  request('POST /x', [...fields, 'Transfer-Encoding: chunked'], chunks)
const latin = (buffer: Buffer) => buffer.toString('latin1')

const allBytes = latin(Buffer.from(Array.from({ length: 256 }, (_, i) => i)))
const allTokens = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const visible = String.fromCharCode(...Array.from({ length: 94 }, (_, i) => i + 0x21))
const obsText = String.fromCharCode(...Array.from({ length: 128 }, (_, i) => i + 0x80))

const fields: Record<string, string> = {
  'an odd order': request('GET /x', ['Zeta: 1', 'Accept: */*', 'Cookie: a=1', 'User-Agent: x', 'Alpha: 2']),
  'Host last': `GET /x HTTP/1.1\r\nA: 1\r\nB: 2\r\n${host}\r\n\r\n`,
  'Host in lower case': 'GET /x HTTP/1.1\r\nhost: shop.example\r\n\r\n',
  'Host in upper case with a port': 'GET /x HTTP/1.1\r\nHOST: Shop.Example:8080\r\n\r\n',
  'Host as an IPv6 address': 'GET /x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n',
  'an empty Host': 'GET /x HTTP/1.1\r\nHost:\r\n\r\n',
  'names in every case': get('x-lower: 1', 'X-UPPER: 2', 'x-MiXeD: 3'),
  duplicates: get('X-A: 1', 'X-B: 2', 'X-A: 3', 'x-a: 1'),
  'duplicates that differ in case alone': get('Accept: a', 'accept: b', 'ACCEPT: c'),
  'fields that Node would join or drop': get(
    'User-Agent: a',
    'User-Agent: b',
    'Referer: c',
    'Referer: d',
    'From: e',
    'From: f',
  ),
  'several Cookie fields': get('Cookie: a=1', 'Cookie: b=2; c=3', 'cookie: d=4'),
  'several Authorization fields': get('Authorization: Basic YTpi', 'Authorization: Bearer x'),
  'an empty value': get('X-Empty:'),
  'an empty value after blanks': get('X-Empty:   \t '),
  'no blank after the colon': get('X-Tight:1'),
  'blanks around the value': get('X-Loose: \t  1 \t '),
  'blanks within the value': get('X-Blanks: a  b\t\tc'),
  'a value of colons and commas': get('X-Odd: ::,,;;==""'),
  'a quoted value': get('X-Quoted: "a, b \\" c"; d="é"'),
  'every visible character in a value': get(`X-All: ${visible}`),
  'every byte of obs-text in a value': get(`X-Obs: ${obsText}`),
  'UTF-8 in a value': get(`X-Utf: ${latin(Buffer.from('Łódź 🚚'))}`),
  'every character of a token in a name': get(`${allTokens}: 1`),
  'a name of one letter': get('X: 1'),
  'a name of a digit': get('1: 1'),
  'a name that starts with a hyphen': get('-x-: 1'),
  'names with underscores and dots': get('X_A: 1', 'X.B: 2', 'X-A: 3'),
  'names of Object.prototype': get('__proto__: 1', 'constructor: 2', 'toString: 3', 'hasOwnProperty: 4'),
  'a name of 4 KiB': get(`${'n'.repeat(4096)}: 1`),
  'a value of 15 KiB': get(`X-Long: ${'v'.repeat(15 * 1024)}`),
  'a value of 40 KiB': get(`X-Long: ${'v'.repeat(40 * 1024)}`),
  'a cookie of 12 KiB among others': get('A: 1', `Cookie: SESSION=${'c'.repeat(12 * 1024)}`, 'B: 2'),
  '199 fields': get(...Array.from({ length: 198 }, (_, i) => `X-${i}: ${i}`)),
  '300 fields': get(...Array.from({ length: 299 }, (_, i) => `X-${i}: ${i}`)),
  '2500 fields': get(...Array.from({ length: 2499 }, (_, i) => `X-${i}: ${i}`)),
  'conditions and ranges': get('If-None-Match: W/"a", "b"', 'If-Range: "b"', 'Range: bytes=0-0,-1'),
  'what asks for encodings': get('Accept-Encoding: gzip;q=1.0, *;q=0', 'Accept-Encoding: br'),
  'a trace of others': get('traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'tracestate: a=b'),
  'cache directives': get('Cache-Control: no-cache', 'Pragma: no-cache', 'Max-Forwards: 3'),
  'a pretended internal field': get('X-Real-IP: 6.6.6.6', 'X-Forwarded-Port: 1', 'X-Original-URL: /admin'),
  'HTTP2-Settings without an upgrade': get('HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'),
}

const hops: Record<string, string> = {
  'Connection: keep-alive': get('Connection: keep-alive', 'X-A: 1'),
  'Connection names a field': get('Connection: X-Hop, keep-alive', 'X-Hop: secret', 'X-End: 1'),
  'Connection names fields twice in odd case': get(
    'connection: x-hop',
    'CONNECTION: ,X-OTHER ,',
    'X-Hop: 1',
    'x-other: 2',
  ),
  'Connection names Host and Content-Length': sized('body', 'Connection: host, content-length'),
  'Keep-Alive and Proxy-Connection': get('Keep-Alive: timeout=5', 'Proxy-Connection: keep-alive'),
  'credentials for a proxy': get('Proxy-Authorization: Basic YTpi', 'Authorization: Basic YTpi'),
  'TE: trailers': get('TE: trailers', 'Connection: TE'),
  'TE with other codings': get('TE: gzip;q=0.5, Trailers', 'Connection: TE'),
  'TE without trailers': get('TE: gzip', 'Connection: TE'),
  'Upgrade that Connection does not name': get('Upgrade: h2c'),
  'forwarding fields of an untrusted client': get('X-Forwarded-For: 6.6.6.6', 'Forwarded: for=6.6.6.6', 'X-A: 1'),
  'Via of others': get('Via: 1.0 fred', 'Via: 1.1 wilma'),
  'an id of its own': get('X-Request-Id: given-by-client-1'),
}

const targets: Record<string, string> = Object.fromEntries(
  [
    '/',
    '//',
    '//double//slashes//',
    '/?',
    '/??',
    '/?a=1&a=2&&b',
    '/a/../b/./c',
    '/a/%2e%2e/b/%2E/c',
    '/..',
    '/a/..;/b',
    '/a;jsessionid=1/b;x',
    '/%2F%5c/%2f',
    '/%zz%',
    '/%00',
    '/%C5%81%C3%B3d%C5%BA',
    '/%7Euser/~user',
    '/a+b%20c?q=a+b%20c',
    '/a\\b',
    '/a"b<c>d^e`f{g|h}i',
    '/a#fragment?x',
    '/index.php?url=http://other.example/?a=b',
    "/!$&'()*+,;=:@",
    `/${'long/'.repeat(1600)}`,
    `/?${'q'.repeat(20_000)}`,
  ].map((target) => [target.slice(0, 40), request(`GET ${target}`)]),
)
targets['* of OPTIONS'] = request('OPTIONS *')
targets['the absolute form of the same host'] = request('GET http://shop.example/x?y')
targets['the absolute form without a path'] = request('GET http://shop.example')

const methods = Object.fromEntries(
  METHODS.filter((method) => method !== 'CONNECT').map((method) => [method, request(`${method} /x`)]),
)

const bodies: Record<string, string> = {
  'a POST with a length': sized('a=1&b=2', 'Content-Type: application/x-www-form-urlencoded'),
  'a POST of no bytes': sized(''),
  'a POST without a length': request('POST /x'),
  'a length with leading zeros': request('POST /x', ['Content-Length: 0004'], 'body'),
  'Content-Length before Host in odd case': `PUT /x HTTP/1.1\r\ncontent-LENGTH: 4\r\n${host}\r\n\r\nbody`,
  'every byte': sized(allBytes),
  'a body that looks like a request': sized(get()),
  'a body of empty lines': sized('\r\n\r\n\r\n'),
  'a body of 1 MiB': sized('0123456789abcdef'.repeat(65_536)),
  'a GET with a body': request('GET /x', ['Content-Length: 4'], 'body'),
  'a HEAD with a body': request('HEAD /x', ['Content-Length: 4'], 'body'),
  'a DELETE with a body': request('DELETE /x', ['Content-Length: 4'], 'body'),
  'an OPTIONS with a body': request('OPTIONS /x', ['Content-Length: 4'], 'body'),
  'a GET with chunks': request('GET /x', ['Transfer-Encoding: chunked'], '4\r\nbody\r\n0\r\n\r\n'),
  gzip: sized(latin(gzipSync('squeezed')), 'Content-Encoding: gzip'),
  multipart: sized(
    '--b\r\nContent-Disposition: form-data; name="f"\r\n\r\nx\r\n--b--\r\n',
    'Content-Type: multipart/form-data; boundary=b',
  ),
  'one chunk': chunked('4\r\nbody\r\n0\r\n\r\n'),
  'no chunk': chunked('0\r\n\r\n'),
  'chunks of one byte': chunked(`${[...'body of single bytes'].map((byte) => `1\r\n${byte}\r\n`).join('')}0\r\n\r\n`),
  'sizes in odd case with zeros': chunked('00A\r\n0123456789\r\n0a\r\n0123456789\r\n000\r\n\r\n'),
  'chunk extensions': chunked('4;name=value;x="y z"\r\nbody\r\n0;last\r\n\r\n'),
  'chunks of every byte': chunked(`100\r\n${allBytes}\r\n0\r\n\r\n`),
  'the coding in odd case': request('POST /x', ['transfer-encoding: Chunked'], '4\r\nbody\r\n0\r\n\r\n'),
  'a trailer': chunked('4\r\nbody\r\n0\r\nX-Sum: 42\r\n\r\n', 'Trailer: X-Sum'),
  'trailers in odd case, doubled, empty': chunked('4\r\nbody\r\n0\r\nX-A: 1\r\nx-a: 2\r\nX-E:\r\n\r\n'),
  'a trailer behind no chunk': chunked('0\r\nX-Sum: 42\r\n\r\n', 'Trailer: X-Sum'),
  'obs-text in a trailer': chunked(`1\r\nx\r\n0\r\nX-Obs: ${obsText}\r\n\r\n`),
  'a trailer behind 200 KB': chunked(`30000\r\n${'z'.repeat(0x30000)}\r\n0\r\nX-Sum: 42\r\n\r\n`),
}

const old: Record<string, string> = {
  'HTTP/1.0': `GET /x HTTP/1.0\r\n${host}\r\nX-A: 1\r\n\r\n`,
  'HTTP/1.0 that asks to be kept': `GET /x HTTP/1.0\r\n${host}\r\nConnection: keep-alive\r\n\r\n`,
  'HTTP/1.0 with a body': `POST /x HTTP/1.0\r\n${host}\r\nContent-Length: 4\r\n\r\nbody`,
  'HTTP/1.0 HEAD': `HEAD /x HTTP/1.0\r\n${host}\r\n\r\n`,
  'HTTP/1.1 that asks to be closed': get('Connection: close'),
  'HTTP/1.1 that asks to be closed in odd case': get('connection: Keep-Alive, CLOSE'),
  'empty lines before the request': `\r\n\r\n${get()}`,
}

const tables = { fields, hops, targets, methods, bodies, old }

for (const [table, cases] of Object.entries(tables)) {
  describe(`${table} of a request`, () => {
    test.each(Object.entries(cases))('%s', async (_, bytes) => {
      const direct = await ask(world, world.port, {
        request: bytes.replace(/^(\r\n)+/, ''),
        methods: [methodOf(bytes.trimStart())],
      })
      const through = await ask(world, world.gateway.port, { request: bytes, methods: [methodOf(bytes.trimStart())] })
      expect(through.got[0]?.start).toBe('HTTP/1.1 200 OK')
      expect(direct.seen).toHaveLength(1)
      expect(through.seen.map(seenRequest)).toEqual(direct.seen.map(expectedRequest))
      expect(through.isKept).toBe(table !== 'old' || bytes.startsWith('\r\n'))
    })
  })
}

test('HTTP/1.0 without Host names the target, and the absolute form its own host', async () => {
  await ask(world, world.gateway.port, { request: 'GET /x HTTP/1.0\r\n\r\n' })
  expect(world.requests.map((seen) => valuesOf(seen.fields, 'host'))).toEqual([[`127.0.0.1:${world.port}`]])
  const absolute = await ask(world, world.gateway.port, { request: request('GET http://other.example/x') })
  expect(absolute.seen.map((seen) => [seen.start, valuesOf(seen.fields, 'host')])).toEqual([
    ['GET http://other.example/x HTTP/1.1', ['other.example']],
  ])
})

test('what is added towards the upstream is there once, and nothing of it towards the client', async () => {
  const { seen, got } = await ask(world, world.gateway.port, { request: get() })
  const [asked] = seen
  const added = ['via', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded']
  expect(added.map((name) => valuesOf(asked?.fields ?? [], name))).toEqual([
    ['1.1 banyan'],
    ['127.0.0.1'],
    ['http'],
    ['shop.example'],
    ['for=127.0.0.1;host="shop.example";proto=http'],
  ])
  expect(valuesOf(asked?.fields ?? [], 'x-request-id')).toHaveLength(1)
  expect(got[0]?.fields).toEqual(['Content-Length: 2'])
})

test.each(['CONNECT shop.example:443', 'BREW /x', 'get /x', 'GETT /x'])(
  '%s gets 501, and ends the connection',
  async (line) => {
    const { seen, got, isKept } = await ask(world, world.gateway.port, { request: request(line) })
    expect(seen).toEqual([])
    expect(got[0]?.start).toBe('HTTP/1.1 501 Not Implemented')
    expect(isKept).toBe(false)
  },
)

test('a target of raw bytes that are not ASCII gets 400', async () => {
  const { seen, got } = await ask(world, world.gateway.port, { request: request(`GET /${latin(Buffer.from('łódź'))}`) })
  expect(seen).toEqual([])
  expect(got[0]?.start).toBe('HTTP/1.1 400 Bad Request')
})
