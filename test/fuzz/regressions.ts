// Every case in which our reading and Node's have differed, and how ours must read it now: as many messages as it says.
// The danger it guards against: a hole that opens a second time.
import type { Case } from './reading.ts'

export interface Regression extends Case {
  readonly why: string
  readonly messages: number
}

const head = 'GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n'
const next = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'

export const regressions: readonly Regression[] = [
  {
    why: 'a chunk extension without a name',
    kind: 'request',
    method: 'GET',
    messages: 0,
    bytes: `${head}1;\r\na\r\n0\r\n\r\n`,
  },
  {
    why: 'white space around a chunk extension',
    kind: 'request',
    method: 'GET',
    messages: 0,
    bytes: `${head}1; a = b\r\nx\r\n0\r\n\r\n`,
  },
  {
    why: 'a quote that does not end',
    kind: 'request',
    method: 'GET',
    messages: 0,
    bytes: `${head}1;a="\r\nx\r\n0\r\n\r\n`,
  },
  {
    why: 'a quote that ends',
    kind: 'request',
    method: 'GET',
    messages: 1,
    bytes: `${head}1;a="b;\\"c";d\r\nx\r\n0\r\n\r\n`,
  },
  {
    why: 'a tab behind the coding',
    kind: 'answer',
    method: 'GET',
    messages: 0,
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n',
  },
  {
    why: 'Connection as a trailer',
    kind: 'request',
    method: 'GET',
    messages: 0,
    bytes: `${head}0\r\nConnection: close\r\n\r\n${next}`,
  },
  {
    why: 'an interim answer that closes the connection',
    kind: 'answer',
    method: 'GET',
    messages: 0,
    bytes: 'HTTP/1.1 100 \r\nConnection: close\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
  },
  {
    why: 'an interim answer of HTTP/1.0',
    kind: 'answer',
    method: 'GET',
    messages: 0,
    bytes: 'HTTP/1.0 100 OK\r\nContent-Length: 19\r\n\r\nHTTP/1.1 200 OK\r\n\r\n',
  },
  {
    why: 'nothing after Connection: close',
    kind: 'request',
    method: 'GET',
    messages: 1,
    bytes: `${next.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')}${next}`,
  },
]
