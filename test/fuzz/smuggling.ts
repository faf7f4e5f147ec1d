// The known shapes of request smuggling, and what must become of each at either door.
// The danger it guards against: a second request inside the first that only one side of the gateway sees (RFC 9112 §11.2).

export interface Shape {
  readonly name: string
  /** latin1; a request for `/last` that asks for the close follows it on the connection. */
  readonly bytes: string
  /**
   * refused: answered 4xx or 501 and closed, and the upstream sees no whole request.
   * Otherwise the requests, `METHOD target body`, that the upstream sees, before the one for `/last`.
   */
  readonly outcome: 'refused' | readonly string[]
}

const start = 'POST /first HTTP/1.1\r\nHost: h\r\n'
const hidden = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n'
const length = (bytes: number | string) => `Content-Length: ${bytes}\r\n`
const chunked = 'Transfer-Encoding: chunked\r\n'
const empty = '0\r\n\r\n'

const refused = (name: string, bytes: string): Shape => ({ name, bytes, outcome: 'refused' })
const same = (name: string, bytes: string, ...outcome: string[]): Shape => ({ name, bytes, outcome })

const lengthsAndCodings: readonly Shape[] = [
  refused('CL.TE', `${start}${length(empty.length + hidden.length)}${chunked}\r\n${empty}${hidden}`),
  refused('TE.CL', `${start}${chunked}${length(4)}\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n${empty}`),
  refused('CL.TE, the length 0', `${start}${length(0)}${chunked}\r\n${empty}${hidden}`),
  refused('two lengths, the first short', `${start}${length(0)}${length(hidden.length)}\r\n${hidden}`),
  refused('two lengths, the second short', `${start}${length(hidden.length)}${length(0)}\r\n${hidden}`),
  refused('a length in a list', `${start}${length(`0, ${hidden.length}`)}\r\n${hidden}`),
  refused('the same length in a list', `${start}${length('3, 3')}\r\nabc`),
  refused('a length with a plus', `${start}${length('+3')}\r\nabc`),
  refused('a length with a minus', `${start}${length('-3')}\r\nabc`),
  refused('a length in 0x', `${start}${length('0x3')}\r\nabc`),
  refused('a length with a point', `${start}${length('3.0')}\r\nabc`),
  refused('a length with an exponent', `${start}${length('3e0')}\r\nabc`),
  refused('a length with a space inside', `${start}${length('3 3')}\r\nabc`),
  refused('a length that overflows 64 bits', `${start}${length('18446744073709551619')}\r\nabc`),
  refused('an empty length', `${start}${length('')}\r\n${hidden}`),
  refused('a space before the colon of the length', `${start}Content-Length : ${hidden.length}\r\n\r\n${hidden}`),
  refused('a tab before the colon of the coding', `${start}Transfer-Encoding\t: chunked\r\n\r\n${empty}${hidden}`),
]

const codings: readonly Shape[] = [
  ...[
    'xchunked',
    'chunked, identity',
    'identity, chunked',
    'gzip, chunked',
    'chunked, chunked',
    'chunked;q=1',
    '"chunked"',
    'chunked,',
    ', chunked',
    'chunk',
    'identity',
    'chunked\x0b',
    '\x0cchunked',
    'chunked\0',
    'chun\x7fked',
    'chunked\t',
  ].map((coding) =>
    refused(`TE.TE: ${JSON.stringify(coding)}`, `${start}Transfer-Encoding: ${coding}\r\n\r\n${empty}${hidden}`),
  ),
  refused('TE.TE: twice', `${start}${chunked}${chunked}\r\n${empty}${hidden}`),
  refused('TE.TE: twice, the second unknown', `${start}${chunked}Transfer-Encoding: x\r\n\r\n${empty}${hidden}`),
  refused('TE.TE: folded', `${start}Transfer-Encoding:\r\n chunked\r\n\r\n${empty}${hidden}`),
  refused('TE.TE: behind a bare LF', `${start}X: y\nTransfer-Encoding: chunked\r\n\r\n${empty}${hidden}`),
  refused('TE.TE: behind a bare CR', `${start}X: y\rTransfer-Encoding: chunked\r\n\r\n${empty}${hidden}`),
  refused('a coding in HTTP/1.0', `POST /first HTTP/1.0\r\nHost: h\r\n${chunked}\r\n${empty}${hidden}`),
  same(
    'a coding in capitals and between blanks',
    `${start}Transfer-Encoding: \tCHUNKED \r\n\r\n${empty}`,
    'POST /first ',
  ),
  same(
    'a field that only looks like one',
    `${start}Transfer_Encoding: chunked\r\n${length(3)}\r\nabc`,
    'POST /first abc',
  ),
  same(
    'a hop-by-hop length',
    `${start}Connection: content-length\r\n${length(hidden.length)}\r\n${hidden}`,
    `POST /first ${hidden}`,
  ),
]

const chunks: readonly Shape[] = [
  ...['0x3', '+3', '-3', ' 3', '3 ', '3\t', '', '3_', 'g', '10000000000000003', '3\x0b', '3;a\nb', '3;a="'].map(
    (size) =>
      refused(`a chunk size ${JSON.stringify(size)}`, `${start}${chunked}\r\n${size}\r\nabc\r\n${empty}${hidden}`),
  ),
  refused('a chunk line that ends in a bare LF', `${start}${chunked}\r\n3\nabc\r\n${empty}${hidden}`),
  refused('a chunk line that ends in a bare CR', `${start}${chunked}\r\n3\rabc\r\n${empty}${hidden}`),
  refused('an extension that hides a line', `${start}${chunked}\r\n3;\nabc\r\n${empty}${hidden}`),
  refused('a chunk longer than its size', `${start}${chunked}\r\n3\r\nabcde\r\n${empty}${hidden}`),
  refused('a chunk that a bare LF ends', `${start}${chunked}\r\n3\r\nabc\n${empty}${hidden}`),
  refused('a last chunk that is minus nothing', `${start}${chunked}\r\n-0\r\n\r\n${hidden}`),
  refused('a trailer that is folded', `${start}${chunked}\r\n0\r\nX: y\r\n z\r\n\r\n${hidden}`),
  refused('a trailer that ends in a bare LF', `${start}${chunked}\r\n0\r\nX: y\n\r\n${hidden}`),
  same(
    'a request in a chunk',
    `${start}${chunked}\r\n${hidden.length.toString(16)}\r\n${hidden}\r\n${empty}`,
    `POST /first ${hidden}`,
  ),
  same('an extension with quotes', `${start}${chunked}\r\n3;a="b;c"\r\nabc\r\n${empty}`, 'POST /first abc'),
]

const heads: readonly Shape[] = [
  refused('a bare LF between the fields', `GET /first HTTP/1.1\r\nHost: h\nX: y\r\n\r\n${hidden}`),
  refused('bare LFs alone', `GET /first HTTP/1.1\nHost: h\n\n${hidden}`),
  refused('obs-fold', `GET /first HTTP/1.1\r\nHost: h\r\nX: y\r\n z\r\n\r\n${hidden}`),
  refused('a folded first field', `GET /first HTTP/1.1\r\n Host: h\r\n\r\n${hidden}`),
  refused('two Hosts', `GET /first HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n${hidden}`),
  refused('no Host', `GET /first HTTP/1.1\r\nX: y\r\n\r\n${hidden}`),
  refused('a Host with a path', `GET /first HTTP/1.1\r\nHost: h/i\r\n\r\n${hidden}`),
  refused('a NUL in a value', `GET /first HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n${hidden}`),
  refused('a NUL in a name', `GET /first HTTP/1.1\r\nHost: h\r\nX\0: b\r\n\r\n${hidden}`),
  refused('a line without a colon', `GET /first HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n${hidden}`),
  refused('a space in the target', `GET /first /second HTTP/1.1\r\nHost: h\r\n\r\n${hidden}`),
  refused('HTTP/1.2 is not spoken', `GET /first HTTP/3.7\r\nHost: h\r\n\r\n${hidden}`),
  refused('the preface of HTTP/2', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${hidden}`),
  same(
    'CL.0: a GET with a body',
    `GET /first HTTP/1.1\r\nHost: h\r\n${length(hidden.length)}\r\n${hidden}`,
    `GET /first ${hidden}`,
  ),
  same('0.CL: a request without a length has no body', `${start}\r\n`, 'POST /first '),
  same(
    'pipelined requests are as many',
    `${hidden}${start}${length(3)}\r\nabc${hidden}`,
    'GET /smuggled ',
    'POST /first abc',
    'GET /smuggled ',
  ),
]

export const shapes: readonly Shape[] = [...lengthsAndCodings, ...codings, ...chunks, ...heads]
