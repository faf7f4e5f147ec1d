// A request as bytes on an upstream's connection: head, framing, body, trailers.
// The danger it guards against: a request that ends for the upstream where it did not end for the client.

import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { Failure } from '../errors.ts'
import { chunkedEnd, chunkHead } from '../message/chunked.ts'
import { sameName } from '../message/fields.ts'
import type { Exchange } from '../model.ts'

export interface Sending {
  /** A piece has gone out. */
  moved(): void
  /** The last byte has. */
  sent(): void
  /** The client's body broke or fell short: the upstream must not take what it got for the whole. */
  failed(failure: Failure): void
}

/** @returns what stops it: nothing is written after that, and the body is left to its owner. */
export function sendRequest(exchange: Exchange, socket: Socket, sending: Sending): () => void {
  const { body } = exchange
  const isChunked = body !== undefined && !exchange.fields.has('content-length')
  const head = headOf(exchange, isChunked)
  if (body instanceof Readable) {
    socket.write(head, 'latin1')
    return pump({ exchange, body, socket, isChunked }, sending)
  }
  if (body === undefined) socket.write(head, 'latin1')
  else writeWhole(head, isChunked ? chunkedOf(body) : body, socket)
  sending.sent()
  return () => {}
}

function headOf({ method, target, fields, upgrade }: Exchange, isChunked: boolean): string {
  const { raw } = fields
  let head = `${method} ${target} HTTP/1.1\r\n`
  let hasTe = false
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    head += `${name}: ${raw[i + 1]}\r\n`
    hasTe ||= name.length === 2 && sameName(name, 'te')
  }
  if (isChunked) head += 'Transfer-Encoding: chunked\r\n'
  // Both are of this hop alone and made anew (RFC 9110 §7.8, §10.1.4).
  if (upgrade !== undefined) head += `Connection: Upgrade\r\nUpgrade: ${upgrade}\r\n`
  else if (hasTe) head += 'Connection: TE\r\n'
  return `${head}\r\n`
}

/** Head and body in one packet: two small writes cost a system call and often a round trip more. */
function writeWhole(head: string, body: Buffer, socket: Socket): void {
  socket.cork()
  socket.write(head, 'latin1')
  socket.write(body)
  socket.uncork()
}

function chunkedOf(body: Buffer): Buffer {
  const end = Buffer.from(chunkedEnd(), 'latin1')
  return body.length === 0
    ? end
    : Buffer.concat([Buffer.from(chunkHead(body.length), 'latin1'), body, Buffer.from('\r\n'), end])
}

interface Pumped {
  readonly exchange: Exchange
  readonly body: Readable
  readonly socket: Socket
  readonly isChunked: boolean
}

function pump({ exchange, body, socket, isChunked }: Pumped, sending: Sending): () => void {
  const onChunk = (chunk: Buffer) => {
    sending.moved()
    if (!writePiece(chunk, socket, isChunked)) body.pause()
  }
  const onDrain = () => {
    sending.moved()
    body.resume()
  }
  const onEnd = () => {
    stop()
    if (isChunked) socket.write(chunkedEnd(exchange.trailers?.().raw), 'latin1')
    sending.sent()
  }
  const onBroken = () => {
    stop()
    sending.failed(new Failure('requestBodyBroken', 'the request body broke off'))
  }
  const stop = () => {
    body.off('data', onChunk).off('end', onEnd).off('close', onBroken).off('error', onBroken)
    socket.off('drain', onDrain)
    // Whoever owns it decides what becomes of the rest.
    body.pause()
  }
  body.on('data', onChunk).on('end', onEnd).on('close', onBroken).on('error', onBroken)
  socket.on('drain', onDrain)
  return stop
}

function writePiece(chunk: Buffer, socket: Socket, isChunked: boolean): boolean {
  if (!isChunked) return socket.write(chunk)
  if (chunk.length === 0) return true
  socket.cork()
  socket.write(chunkHead(chunk.length), 'latin1')
  socket.write(chunk)
  const mayGoOn = socket.write('\r\n', 'latin1')
  socket.uncork()
  return mayGoOn
}
