// Writes an Answer to a client through Node's HTTP server, byte for byte as far as that server lets us.
// The danger it guards against: a broken answer that looks whole, and a client's slowness that fills our memory.
import { type ServerResponse, STATUS_CODES } from 'node:http'
import { Readable } from 'node:stream'
import { abandon, dropBody } from '../message/answer.ts'
import { namesOf, without } from '../message/fields.ts'
import type { Answer, Clock, EndHow } from '../model.ts'
import { refusalOf } from './refuse.ts'

/** Above this, copying a body costs more than a second buffer in the system call. */
const copyBytes = 16 * 1024

export interface SendPorts {
  readonly clock: Clock
  /** Then the connection ends with this answer. */
  isDraining(): boolean
}

/** Writes the head and pumps the body; settles the Answer when the last byte has been handed to the system. */
export function send(answer: Answer, response: ServerResponse, ports: SendPorts): void {
  const { clock } = ports
  if (response.destroyed) {
    abandon(answer, clock.now)
    return
  }
  try {
    writeHead(answer, response, ports.isDraining() || !response.shouldKeepAlive)
  } catch {
    // It has fields that Node will not send.
    answer.settle({ how: 'upstreamBroke', bodyBytes: 0, at: clock.now(), failure: 'upstreamMalformed' })
    answer.discard()
    send(refusalOf('upstreamMalformed', clock.now), response, ports)
    return
  }
  let bodyBytes = 0
  const settle = (how: EndHow) => answer.settle({ how, bodyBytes, at: clock.now() })
  // It follows `finish` at once: one listener for both ends costs half of two.
  response.once('close', () => {
    settle(response.writableFinished ? 'complete' : 'clientGone')
    dropBody(answer.body)
  })
  if (!(answer.body instanceof Readable)) {
    bodyBytes = answer.body?.length ?? 0
    addTrailers(answer, response)
    end(response, answer.body)
    return
  }
  pump(answer.body, response, {
    passed: (bytes) => {
      bodyBytes += bytes
    },
    end() {
      addTrailers(answer, response)
      response.end()
    },
    broke() {
      settle('upstreamBroke')
      breakOff(answer, response)
    },
  })
}

/** As text a small body shares its head's write: a twentieth of what a plain server of Node costs per answer. */
function end(response: ServerResponse, body: Buffer | undefined): void {
  if (body && body.length <= copyBytes) response.end(body.toString('latin1'), 'latin1')
  else response.end(body)
}

function writeHead(answer: Answer, response: ServerResponse, isLast: boolean): void {
  // Node would add Date, Connection and Keep-Alive of its own; the monolith's clients get the monolith's.
  response.sendDate = false
  response.removeHeader('connection')
  // Node throws at a Trailer field of an answer that it does not send in chunks.
  const isMisplaced = answer.fields.has('trailer') && !isSentInChunks(answer, response)
  const fields = isMisplaced ? without(answer.fields, trailer) : answer.fields
  const raw = [...fields.raw]
  if (isLast) {
    raw.push('Connection', 'close')
    response.shouldKeepAlive = false
  }
  const reason = answer.by === 'upstream' ? answer.reason : (STATUS_CODES[answer.status] ?? '')
  response.writeHead(answer.status, reason, raw)
}

const trailer = namesOf(['trailer'])

function isSentInChunks({ body, fields }: Answer, response: ServerResponse): boolean {
  return body !== undefined && response.useChunkedEncodingByDefault && !fields.has('content-length')
}

interface Pumped {
  passed(bytes: number): void
  end(): void
  broke(): void
}

function pump(body: Readable, response: ServerResponse, pumped: Pumped): void {
  // It broke before anybody listened: no event will say so again.
  if (body.errored) {
    pumped.broke()
    return
  }
  let isStarted = false
  body.on('data', (chunk: Buffer) => {
    isStarted = true
    pumped.passed(chunk.length)
    if (!response.write(chunk)) body.pause()
  })
  response.on('drain', () => body.resume())
  body.on('end', pumped.end)
  body.on('error', pumped.broke)
  // A head waits for the first bytes of its body, or costs a packet of its own; but not when they are slow to come.
  setImmediate(() => {
    if (!isStarted && !response.writableEnded && !response.destroyed) response.flushHeaders()
  })
}

/** The client must see that the answer is not whole: no final chunk, no clean end (RFC 9112 §8). */
function breakOff(answer: Answer, response: ServerResponse): void {
  const { socket } = response
  // Where the close is the end of an answer (RFC 9112 §6.3), only a reset tells that it is none.
  const isUntilClose = !response.useChunkedEncodingByDefault && !answer.fields.has('content-length')
  if (socket && isUntilClose && !('encrypted' in socket)) socket.resetAndDestroy()
  else response.destroy()
}

/** They are complete once the body has ended. */
function addTrailers(answer: Answer, response: ServerResponse): void {
  const raw = answer.trailers?.().raw ?? []
  if (raw.length > 0) response.addTrailers(pairs(raw))
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? ''] as [string, string]] : []))
}
