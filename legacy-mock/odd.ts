// Odd but legal things that old systems send, and that a gateway must pass on as they are.
// The danger it shows: each of these is something that a proxy in between likes to tidy up.
import type { OutgoingHttpHeaders } from 'node:http'
import { type Endpoint, endpoint } from '../services/kit/router.ts'
import { sendText, type Visit } from '../services/kit/visit.ts'

export const oddEndpoints: readonly Endpoint[] = [
  odd('cookies', sendCookies),
  odd('case', sendMixedCase),
  odd('trailer', sendTrailer),
  // One segment with an encoded slash in it, and two segments: different resources (RFC 3986 §2.2).
  odd('a%2Fb', (visit) => sendText(visit, 200, 'one segment\n')),
  odd('a/b', (visit) => sendText(visit, 200, 'two segments\n')),
  odd('early-hints', sendEarlyHints),
  odd('close', sendUntilClose),
  odd('204', ({ response }) => void response.writeHead(204, { 'X-Freight': 'nothing to see' }).end()),
  odd('304', ({ response }) => void response.writeHead(304, { ETag: '"always"' }).end()),
  odd('reason', sendReason),
]

function odd(name: string, answer: (visit: Visit) => void): Endpoint {
  return endpoint('GET', `/odd/${name}`, answer)
}

/** Set-Cookie several times, one name twice: never to be folded into one (RFC 9110 §5.3). */
function sendCookies({ response }: Visit): void {
  const cookies = [
    'lane=1; Path=/',
    'lane=2; Path=/odd',
    'gate=B, north; Path=/; Expires=Wed, 01 Jan 2031 00:00:00 GMT',
  ]
  response.writeHead(200, { 'Set-Cookie': cookies, 'Content-Type': 'text/plain', 'Content-Length': 8 })
  response.end('cookies\n')
}

/** Field names in many cases, in an order of its own, one of them twice. */
function sendMixedCase({ response }: Visit): void {
  // As a list Node writes it just so; the types know only the form of an object.
  const list = ['X-FREIGHT-Zone', 'a', 'x-freight-lane', '7', 'X-Freight-zone', 'b', 'CONTENT-type', 'text/plain']
  response.writeHead(200, [...list, 'content-LENGTH', '5'] as unknown as OutgoingHttpHeaders)
  response.end('case\n')
}

/** Chunked, with a trailer (RFC 9112 §7.1.2). */
function sendTrailer({ response }: Visit): void {
  response.writeHead(200, { 'Content-Type': 'text/plain', Trailer: 'X-Checksum' })
  response.write('first chunk\n')
  response.write('second chunk\n')
  response.addTrailers({ 'X-Checksum': 'b4n74n' })
  response.end()
}

/** 103 before the 200 (RFC 8297). */
function sendEarlyHints(visit: Visit): void {
  visit.response.writeEarlyHints({ link: '</freight.css>; rel=preload; as=style' })
  sendText(visit, 200, 'hinted\n')
}

/** No length and no chunks: the body ends where the connection does (RFC 9112 §6.3, rule 8). */
function sendUntilClose({ response }: Visit): void {
  response.removeHeader('Transfer-Encoding')
  response.writeHead(200, { 'Content-Type': 'text/plain', Connection: 'close' })
  response.end('until the connection closes\n')
}

function sendReason({ response }: Visit): void {
  response.writeHead(200, 'Freight Loaded', { 'Content-Type': 'text/plain', 'Content-Length': 7 })
  response.end('loaded\n')
}
