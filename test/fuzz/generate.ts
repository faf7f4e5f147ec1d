// Heads and bodies of HTTP/1.1 messages, sound and broken in the ways that parsers differ about.
// The danger it guards against: a fuzz test that only ever makes garbage, which everybody refuses.
import fc, { type Arbitrary } from 'fast-check'
import type { Case } from './reading.ts'

/** Mostly the first, sometimes one of the others. */
function mostly<T>(usual: Arbitrary<T>, ...odd: Arbitrary<T>[]): Arbitrary<T> {
  return fc.oneof({ weight: 40 * odd.length, arbitrary: usual }, ...odd.map((arbitrary) => ({ weight: 1, arbitrary })))
}

const pick = (...values: string[]) => fc.constantFrom(...values)
const text = (alphabet: string, maxLength: number) =>
  fc.array(pick(...alphabet), { maxLength }).map((chars) => chars.join(''))

const visible = 'abcXYZ019!#$%&()*+,-./:;<=>?@[]^_`{|}~"\\\x80\xff'
const lineEnd = mostly(fc.constant('\r\n'), pick('\n', '\r', '\r\r\n', '\n\r', ' \r\n', '\0\r\n', '\r\n '))
const blank = mostly(fc.constant(' '), pick('', '  ', '\t', ' \t ', '\v', '\f', '\xa0', '\0'))
const body = fc.oneof(
  text('ab\r\n0:\0\xff', 40),
  pick('', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n'),
)

const fieldName = mostly(
  pick('X-A', 'Accept', 'Host', 'Date', 'x_b', "!#$%&'*+-.^_`|~09", 'Connection', 'Keep-Alive', 'Trailer'),
  pick('X A', 'X\tA', '', 'X\x80', 'X(A)', 'Content-Length', 'Transfer-Encoding', 'Upgrade', 'Expect', 'X-A ', ' X-A'),
)
const fieldValue = mostly(
  fc.oneof(text(visible, 12), pick('', 'a\t', 'close \t ', 'close', 'keep-alive', 'a b', 'timeout=5', 'h2c, x')),
  pick('a\0b', 'a\rb', 'a\nb', 'a\r\n b', 'a\x7fb', 'a\x01b', '\x0b'),
)
const field = fc.tuple(fieldName, mostly(fc.constant(':'), pick(' :', '', '::')), blank, fieldValue, lineEnd)
const fieldLine = field.map((parts) => parts.join(''))

/** The usual spelling, the right value for that body, and everything that has ever been read in two ways. */
function lengthLine(bytes: number): Arbitrary<string> {
  const value = mostly(
    fc.constant(`${bytes}`),
    pick(`0${bytes}`, `+${bytes}`, `-${bytes}`, `0x${bytes.toString(16)}`, `${bytes}, ${bytes}`, `${bytes} ${bytes}`),
    pick('', '1e1', `${bytes}.0`, `${bytes + 1}`, `${Math.max(0, bytes - 1)}`, '99999999999999999999', `"${bytes}"`),
  )
  const name = mostly(fc.constant('Content-Length'), pick('content-length', 'Content_Length', 'Content-Length '))
  return fc.tuple(name, fc.constant(':'), blank, value, lineEnd).map((parts) => parts.join(''))
}

const codingLine = fc
  .tuple(
    mostly(fc.constant('Transfer-Encoding'), pick('transfer-encoding', 'Transfer_Encoding', 'Transfer-Encoding\t')),
    fc.constant(':'),
    blank,
    mostly(
      fc.constant('chunked'),
      pick('Chunked', 'chunked ', 'xchunked', 'chunked, chunked', 'gzip, chunked', 'chunked, identity', 'identity'),
      pick('chunked\t', 'chunked \t ', 'chunked;q=1', '"chunked"', 'chunked,', ', chunked', 'chun ked', 'gzip'),
    ),
    lineEnd,
  )
  .map((parts) => parts.join(''))

const extension = mostly(
  fc.constant(''),
  pick(
    ';a',
    ';a=b',
    ';a="b c"',
    '; a = b',
    ';',
    ' ;a',
    ';a="',
    ';a=b;c',
    ';\0',
    ';a\n',
    ';\xff',
    ';a="\\""',
    ';@',
    ' ',
    '\t',
  ),
)

const chunk = fc.tuple(text('abc\r\n0', 20), extension, lineEnd, lineEnd).chain(([bytes, ext, end, dataEnd]) => {
  const size = bytes.length
  const hex = mostly(
    fc.constant(size.toString(16)),
    pick(size.toString(16).toUpperCase(), `0${size.toString(16)}`, `0x${size.toString(16)}`, `+${size}`, `-${size}`),
    pick(` ${size.toString(16)}`, `${(size + 1).toString(16)}`, '', 'g', '10000000000000000', `${size}_`, 'ffffffff'),
  )
  // A chunk of nothing would be the last one.
  return size === 0 ? fc.constant('') : hex.map((spelt) => `${spelt}${ext}${end}${bytes}${dataEnd}`)
})

const chunkedBody = fc
  .tuple(
    fc.array(chunk, { maxLength: 3 }).map((chunks) => chunks.join('')),
    mostly(fc.constant('0'), pick('00', '000', '0;a', '0 ', '', '-0')),
    lineEnd,
    fc.array(fieldLine, { maxLength: 2 }).map((lines) => lines.join('')),
    lineEnd,
  )
  .map((parts) => parts.join(''))

/** Field lines in any order, the empty line, and the body that they frame, or do not. */
const framed: Arbitrary<string> = fc.oneof(body, chunkedBody).chain((bytes) => {
  const isChunked = /^[0-9a-f]+(;.*)?\r\n/.test(bytes)
  const right = isChunked ? codingLine : lengthLine(bytes.length)
  const framing = mostly(
    right.map((line) => [line]),
    fc.constant<string[]>([]),
    fc.tuple(codingLine, lengthLine(bytes.length)),
    fc.tuple(right, right),
  )
  const others = fc.array(fieldLine, { maxLength: 4 })
  return fc.tuple(others, framing, others, lineEnd).map(([some, how, more, end]) => {
    return `${[...some, ...how, ...more].join('')}${end}${bytes}`
  })
})

const statusLine = fc.tuple(
  mostly(
    fc.constant('HTTP/1.1'),
    pick('HTTP/1.0', 'http/1.1', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/1.10', ' HTTP/1.1', 'ICY'),
  ),
  mostly(fc.constant(' '), pick('  ', '\t', '')),
  mostly(
    pick('200', '204', '304', '404', '301', '500'),
    pick('100', '103', '101', '199', '205', '999', '099', '20', '2000', '2x0'),
  ),
  mostly(pick(' OK', ' ', '', ' Not Found', ' \xe9t\xe9'), pick(' a\tb', ' a\0', ' a\x7f', '  x', '\tOK', 'OK')),
  lineEnd,
)
const requestLine = fc.tuple(
  mostly(
    pick('GET', 'POST', 'PUT', 'HEAD', 'PROPFIND', 'DELETE'),
    pick('get', 'CONNECT', 'G@T', 'PRI', ' GET', 'FOO', ''),
  ),
  mostly(fc.constant(' '), pick('  ', '\t', '')),
  mostly(
    fc.oneof(
      pick('/', '/a?b=c', '/%2f//..;x'),
      text(visible, 8).map((rest) => `/${rest}`),
    ),
    pick('*', 'http://h/', '/a b', '/a#f', '/\x80', '/\0', '/\t', 'a', ''),
  ),
  mostly(fc.constant(' '), pick('  ', '\t', '')),
  mostly(fc.constant('HTTP/1.1'), pick('HTTP/1.0', 'HTTP/2.0', 'http/1.1', 'HTTP/1.1 x', '')),
  lineEnd,
)

const request = fc
  .tuple(
    requestLine,
    mostly(pick('Host: h\r\n'), pick('', 'Host: a, b\r\n', 'Host: \r\n', 'Host: a\r\nHost: a\r\n')),
    framed,
  )
  .map(([line, host, rest]) => `${line.join('')}${host}${rest}`)
const answer = fc.tuple(statusLine, framed).map(([line, rest]) => `${line.join('')}${rest}`)

/** Small damage anywhere: a byte put in, taken out, or put in the place of another; or a stretch said twice. */
const damage = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    drop: fc.constantFrom(0, 1, 1, 2),
    put: mostly(
      pick('', '\r', '\n', '\r\n', ' ', '\t', '\0', ':', ';', ',', '0', 'f'),
      pick('\xff', '\x7f', '+', '-', '"'),
    ),
  }),
  { maxLength: 2 },
)

function damaged(whole: Arbitrary<string>): Arbitrary<string> {
  return fc.tuple(whole, fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, damage)).map(([bytes, wounds]) =>
    wounds.reduce<string>((hurt, { at, drop, put }) => {
      const from = Math.floor(at * hurt.length)
      return hurt.slice(0, from) + put + hurt.slice(from + drop)
    }, bytes),
  )
}

/** Several requests behind each other on one connection, as with pipelining. */
export const requests: Arbitrary<Case> = fc
  .array(damaged(request), { minLength: 1, maxLength: 3 })
  .map((all) => ({ kind: 'request', method: 'GET', bytes: all.join('') }))

/** Interim answers, the answer, and maybe more that belongs to nobody. */
export const answers: Arbitrary<Case> = fc
  .record({
    method: fc.constantFrom('GET', 'GET', 'POST', 'HEAD'),
    interim: mostly(fc.constant(''), pick('HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 \r\nLink: </a>\r\n\r\n')),
    first: damaged(answer),
    more: mostly(fc.constant(''), damaged(answer)),
  })
  .map(({ method, interim, first, more }) => ({ kind: 'answer', method, bytes: interim + first + more }))
