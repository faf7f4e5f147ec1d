// What is asked of every proxy, in each scenario the same.
// The danger it guards against: comparing figures of different work. Sizes, paths and numbers of connections live only here.

import { bearer } from './bearer.ts'

/** One request, again and again, and what its answer must be. */
export interface Ask {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Of the request's body. */
  readonly requestBytes: number
  /** Of the answer's body. */
  readonly answerBytes: number
  /** Whether each request carries the same token. */
  readonly isKnown?: true
}

export interface Scenario {
  readonly name: string
  readonly title: string
  readonly ask: Ask
  /** Connections that ask. */
  readonly connections: number
  /** Connections that have asked once and stay open beside them. */
  readonly idleConnections?: number
  /** An open model: requests come at this rate, whatever becomes of earlier ones. Absent: a closed loop. */
  readonly ratePerSecond?: number
}

const small: Ask = { method: 'GET', path: '/bench/1k', requestBytes: 0, answerBytes: 1024 }
const big: Ask = { method: 'GET', path: '/bench/64k', requestBytes: 0, answerBytes: 64 * 1024 }
const stream: Ask = { method: 'GET', path: '/bench/1m', requestBytes: 0, answerBytes: 1024 * 1024 }
const post: Ask = { method: 'POST', path: '/bench/post', requestBytes: 16 * 1024, answerBytes: 16 }

export const asks: readonly Ask[] = [small, big, stream, post]

export const scenarios: readonly Scenario[] = [
  { name: 'small', title: 'GET, 1 KB answers', ask: small, connections: 64 },
  { name: 'get64k', title: 'GET, 64 KB answers', ask: big, connections: 64 },
  { name: 'post16k', title: 'POST, 16 KB bodies', ask: post, connections: 64 },
  { name: 'stream1m', title: 'GET, 1 MB answers', ask: stream, connections: 16 },
  { name: 'idle1k', title: 'small beside 1 000 idle connections', ask: small, connections: 64, idleConnections: 1000 },
  {
    name: 'idle10k',
    title: 'small beside 10 000 idle connections',
    ask: small,
    connections: 64,
    idleConnections: 10_000,
  },
  { name: 'bearer', title: 'small with a bearer token', ask: { ...small, isKnown: true }, connections: 64 },
  // A rate that the slowest peer can bear on a slow core: latency of a queue that only grows compares nothing.
  { name: 'rate', title: 'small at 2 000 requests/s, open model', ask: small, connections: 64, ratePerSecond: 2000 },
]

/** The bytes of any body of that length. */
export function bodyOf(bytes: number): Buffer {
  return Buffer.alloc(bytes, 'a banyan is a strangler fig ')
}

/** The request as it goes over the wire. */
export function requestOf({ method, path, requestBytes, isKnown }: Ask, port: number): Buffer {
  const sized = requestBytes > 0 ? `Content-Type: ${bodyType}\r\nContent-Length: ${requestBytes}\r\n` : ''
  const head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${isKnown ? `Authorization: Bearer ${bearer}\r\n` : ''}${sized}\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), bodyOf(requestBytes)])
}

export const bodyType = 'application/octet-stream'
