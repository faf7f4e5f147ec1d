// The chunked coding (RFC 9112 §7.1), decoded piece by piece as the bytes come.
// The danger it guards against: a size that two parsers read differently (signs, 0x, white space, overflow) and, behind it, a
// second message that only one of them sees. Extensions are read over, trailers are kept; anything else is malformed.
//
//   size-line = 1*8 HEXDIG *( ";" token [ "=" ( token / quoted-string ) ] ) CRLF       no white space outside the quotes
import { withFieldLines } from './fields.ts'
import { parseFieldLines } from './grammar.ts'
import { pieceOf } from './pieces.ts'

const mostSizeLineBytes = 1024
const mostTrailerBytes = 16 * 1024
const mostTrailers = 100
/** What frames, routes or governs the connection (RFC 9110 §6.5.1): some parsers obey it in a trailer, Node's for one. */
const neverTrailers = new Set(['connection', 'content-length', 'expect', 'host', 'te', 'transfer-encoding', 'upgrade'])

export interface ChunkSink {
  /** A piece of the body; a view into the bytes that were pushed. */
  data(piece: Buffer): void
}

/** One per body. */
export class ChunkedDecoder {
  /** name, value …; complete once `push` has returned a rest. */
  trailers: readonly string[] = []
  #phase: 'size' | 'data' | 'dataEnd' | 'trailers' = 'size'
  /** Bytes of the current chunk still to come. */
  #left = 0
  /** A line that has not ended yet. */
  #line = ''
  #isDone = false
  readonly #sink: ChunkSink

  constructor(sink: ChunkSink) {
    this.#sink = sink
  }

  /**
   * Takes the next bytes.
   * @returns the index of the first byte after the body's end; -1 when the body goes on; undefined when it is malformed
   */
  push(bytes: Buffer): number | undefined {
    let at = 0
    while (at < bytes.length) {
      const next = this.#phase === 'data' ? this.#takeData(bytes, at) : this.#takeLine(bytes, at)
      if (next === undefined) return undefined
      at = next
      if (this.#isDone) return at
    }
    return -1
  }

  #takeData(bytes: Buffer, at: number): number {
    const end = Math.min(at + this.#left, bytes.length)
    this.#sink.data(pieceOf(bytes, at, end))
    this.#left -= end - at
    if (this.#left === 0) this.#phase = 'dataEnd'
    return end
  }

  #takeLine(bytes: Buffer, at: number): number | undefined {
    const found = bytes.indexOf(0x0a, at)
    const end = found < 0 ? bytes.length : found + 1
    this.#line += bytes.toString('latin1', at, end)
    const most = this.#phase === 'trailers' ? mostTrailerBytes : mostSizeLineBytes
    if (this.#line.length > most) return undefined
    if (found < 0) return end
    return this.#endLine() ? end : undefined
  }

  /** Judges a line that has ended. @returns whether it is well formed */
  #endLine(): boolean {
    const line = this.#line
    if (this.#phase === 'trailers') return this.#endTrailerLine(line)
    this.#line = ''
    if (this.#phase === 'dataEnd') {
      this.#phase = 'size'
      return line === '\r\n'
    }
    const size = sizeLine.exec(line)?.[1]
    if (size === undefined) return false
    this.#left = Number.parseInt(size, 16)
    this.#phase = this.#left === 0 ? 'trailers' : 'data'
    return true
  }

  /** Trailer lines are gathered up to the empty one and then judged like a head. */
  #endTrailerLine(lines: string): boolean {
    if (!lines.endsWith('\r\n')) return false
    if (lines !== '\r\n' && !lines.endsWith('\r\n\r\n')) return true
    const trailers = parseFieldLines(Buffer.from(lines, 'latin1'), 0, mostTrailers)?.fields.raw
    if (!trailers || trailers.some((name, i) => i % 2 === 0 && neverTrailers.has(name.toLowerCase()))) return false
    this.trailers = trailers
    this.#isDone = true
    return true
  }
}

const token = "[!#$%&'*+.^_`|~\\w-]+"
const quoted = '"(?:[\\t\\x20!\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[\\t\\x20-\\x7e\\x80-\\xff])*"'
/** Eight digits are 4 GiB: more no sender means, and more some parser reads wrongly. */
const sizeLine = new RegExp(`^([\\dA-Fa-f]{1,8})(?:;${token}(?:=(?:${token}|${quoted}))?)*\\r\\n$`)

/** The line before a chunk of that many bytes. */
export function chunkHead(bytes: number): string {
  return `${bytes.toString(16)}\r\n`
}

/** A body that is all there, in the chunked coding. @param trailers name, value … */
export function chunkedOf(body: Buffer, trailers?: readonly string[]): Buffer {
  const end = Buffer.from(chunkedEnd(trailers), 'latin1')
  if (body.length === 0) return end
  return Buffer.concat([Buffer.from(chunkHead(body.length), 'latin1'), body, Buffer.from('\r\n'), end])
}

/** What ends a chunked body. @param trailers name, value … */
export function chunkedEnd(trailers: readonly string[] = []): string {
  if (trailers.length === 0) return '0\r\n\r\n'
  return `${withFieldLines('0\r\n', trailers)}\r\n`
}
