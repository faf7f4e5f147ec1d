// Writes an Answer to a client through Node's HTTP server, byte for byte as far as that server lets us.
// The danger it guards against: a broken answer that looks whole, and a client's slowness that fills our memory.
import { type ServerResponse, STATUS_CODES } from 'node:http'
import { Readable } from 'node:stream'
import { Failure } from '../errors.ts'
import { abandon, dropBody, problemAnswer } from '../message/answer.ts'
import type { Answer, Clock, EndHow } from '../model.ts'

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
  } catch (error) {
    answer.discard()
    const malformed = new Failure('upstreamMalformed', 'the answer has fields that cannot be sent', { cause: error })
    send(problemAnswer(malformed, { id: '' }, clock.now), response, ports)
    return
  }
  let bodyBytes = 0
  const settle = (how: EndHow) => answer.settle({ how, bodyBytes, at: clock.now() })
  response.once('finish', () => settle('complete'))
  response.once('close', () => {
    settle('clientGone')
    dropBody(answer.body)
  })
  if (!(answer.body instanceof Readable)) {
    bodyBytes = answer.body?.length ?? 0
    addTrailers(answer, response)
    response.end(answer.body)
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
    broke: () => settle('upstreamBroke'),
  })
}

function writeHead(answer: Answer, response: ServerResponse, isLast: boolean): void {
  // Node would add Date, Connection and Keep-Alive of its own; the monolith's clients get the monolith's.
  response.sendDate = false
  response.removeHeader('connection')
  const raw = [...answer.fields.raw]
  if (isLast) {
    raw.push('Connection', 'close')
    response.shouldKeepAlive = false
  }
  const reason = answer.by === 'upstream' ? answer.reason : (STATUS_CODES[answer.status] ?? '')
  response.writeHead(answer.status, reason, raw)
}

interface Pumped {
  passed(bytes: number): void
  end(): void
  broke(): void
}

function pump(body: Readable, response: ServerResponse, pumped: Pumped): void {
  let isStarted = false
  body.on('data', (chunk: Buffer) => {
    isStarted = true
    pumped.passed(chunk.length)
    if (!response.write(chunk)) body.pause()
  })
  response.on('drain', () => body.resume())
  body.on('end', pumped.end)
  body.on('error', () => {
    // A client must see that the answer is not whole: no final chunk, no clean end (RFC 9112 §8).
    pumped.broke()
    response.destroy()
  })
  // A head waits for the first bytes of its body, or costs a packet of its own; but not when they are slow to come.
  setImmediate(() => {
    if (!isStarted && !response.writableEnded && !response.destroyed) response.flushHeaders()
  })
}

/** They are complete once the body has ended. */
function addTrailers(answer: Answer, response: ServerResponse): void {
  const raw = answer.trailers?.().raw ?? []
  if (raw.length > 0) response.addTrailers(pairs(raw))
}

function pairs(raw: readonly string[]): [string, string][] {
  return raw.flatMap((name, i) => (i % 2 === 0 ? [[name, raw[i + 1] ?? ''] as [string, string]] : []))
}
