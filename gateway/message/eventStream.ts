// Event streams (HTML Standard §9.2): what is one, and one that can be ended from outside, at the end of an event.
// The danger it guards against: a client that loses half an event, or takes half an answer for a broken one.
import { Readable } from 'node:stream'
import { dropBody } from './answer.ts'

/** It may be silent for hours, and is never finished: no time limit applies once its head is there. */
export function isEventStream(contentType: string | undefined): boolean {
  return contentType?.toLowerCase().startsWith('text/event-stream') ?? false
}

/** A line ends with CRLF, LF or CR; a blank line ends an event. Of a last CR nobody knows yet whether an LF belongs to it. */
const blankLine = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r(?=[^\n]))/
const lastBlankLine = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n)$/
/** One byte less than the longest blank line, with the end of the line before it. */
const mostTailBytes = 3

/** Passes a body on, at its reader's pace, until its source or we end it. */
export class EventBody extends Readable {
  readonly #source: Readable
  readonly #ended: (bodyBytes: number) => void
  #bodyBytes = 0
  /** The ends of lines that came last. */
  #tail = ''
  #isAtBoundary = true
  #state: 'open' | 'leaving' | 'ended' = 'open'

  /** @param ended is told when we have ended it, before its source hears of that */
  constructor(source: Readable, ended: (bodyBytes: number) => void) {
    super()
    this.#source = source
    this.#ended = ended
    // As of the source itself: a break while nobody listens yet must not end the process.
    this.on('error', () => {})
    source.on('data', (piece: Buffer) => this.#take(piece))
    source.on('end', () => this.push(null))
    source.on('error', (error) => this.destroy(error))
    source.on('close', () => source.readableEnded || this.#state === 'ended' || this.destroy())
    source.pause()
    // It broke before we listened: no event will say so again.
    if (source.destroyed) this.destroy(source.errored ?? undefined)
  }

  /** Ends it after the event under way. */
  leave(): void {
    if (this.#state !== 'open') return
    if (this.#isAtBoundary) this.cut()
    else this.#state = 'leaving'
  }

  /** Ends it now. The half of an event is for its reader to drop (HTML Standard §9.2.6); the answer is whole. */
  cut(): void {
    if (this.#state === 'ended' || this.destroyed || this.#source.readableEnded) return
    this.#state = 'ended'
    this.#ended(this.#bodyBytes)
    this.push(null)
    dropBody(this.#source)
  }

  #take(piece: Buffer): void {
    if (this.#state === 'ended') return
    const end = this.#state === 'leaving' ? this.#endOfEvent(piece) : -1
    const last = end < 0 ? piece : piece.subarray(0, end)
    this.#remember(last)
    this.#bodyBytes += last.length
    if (!this.push(last)) this.#source.pause()
    if (end >= 0) this.cut()
  }

  /** @returns the index after the first event that ends in it; -1 when none does */
  #endOfEvent(piece: Buffer): number {
    const found = blankLine.exec(this.#tail + piece.toString('latin1'))
    return found ? Math.max(0, found.index + found[0].length - this.#tail.length) : -1
  }

  #remember(piece: Buffer): void {
    const last = this.#tail + piece.toString('latin1', Math.max(0, piece.length - mostTailBytes - 1))
    this.#isAtBoundary = lastBlankLine.test(last)
    this.#tail = /[\r\n]*$/.exec(last)?.[0].slice(-mostTailBytes) ?? ''
  }

  override _read(): void {
    if (this.#state !== 'ended') this.#source.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    dropBody(this.#source)
    callback(error)
  }
}
