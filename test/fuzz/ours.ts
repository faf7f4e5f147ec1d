// Our own parsers over bytes in memory: what they take as messages, up to the first thing they refuse.
// The danger it guards against: a test of other code than what runs, so the connection itself is fed.

import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { parseRequestHead } from '../../gateway/door/requestHead.ts'
import type { AnswerHead } from '../../gateway/forward/answerHead.ts'
import type { Asker } from '../../gateway/forward/asker.ts'
import { Connection } from '../../gateway/forward/connection.ts'
import { Inlet } from '../../gateway/forward/inlet.ts'
import { ChunkedDecoder } from '../../gateway/message/chunked.ts'
import type { Framing } from '../../gateway/message/grammar.ts'
import type { Message } from './reading.ts'

/** @param cuts where the bytes are cut into pieces, ascending; by default after every byte, which alone finds the ends. */
export function ourAnswers(method: string, bytes: string, cuts?: readonly number[]): readonly Message[] {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }) as unknown as Socket
  const asker = new Listener(method)
  const inlet = new Inlet()
  const connection = new Connection(socket, inlet, 0, () => {})
  connection.ask(asker)
  let from = 0
  for (const cut of cuts ?? Array.from(bytes, (_, i) => i + 1)) {
    asker.at = cut
    if (!asker.isOver) inlet.take(Buffer.from(bytes.slice(from, cut), 'latin1'))
    from = cut
  }
  asker.at = undefined
  if (!asker.isOver) socket.emit('end')
  connection.destroy()
  return asker.messages
}

class Listener implements Asker {
  readonly method: string
  readonly mayUpgrade = false
  readonly messages: Message[] = []
  isOver = false
  /** The index after the bytes that have been pushed. */
  at: number | undefined
  #head: AnswerHead | undefined
  #body = ''

  constructor(method: string) {
    this.method = method
  }

  isSent(): boolean {
    return true
  }

  informed(head: AnswerHead): void {
    this.#add(head, '', [])
  }

  switched(): void {
    throw new Error('nobody has asked for another protocol')
  }

  answered(head: AnswerHead, body: Buffer | undefined | 'stream', trailers: readonly string[]): void {
    this.#head = head
    if (body === 'stream') return
    this.#body = body?.toString('latin1') ?? ''
    this.ended(trailers)
  }

  data(piece: Buffer): boolean {
    this.#body += piece.toString('latin1')
    return true
  }

  ended(trailers: readonly string[]): void {
    if (!this.#head) throw new Error('an end without a head')
    this.isOver = true
    this.#add(this.#head, this.#body, trailers)
  }

  broke(): void {
    this.isOver = true
  }

  #add({ status, reason, fields }: AnswerHead, body: string, trailers: readonly string[]): void {
    this.messages.push({ start: `${status} ${reason}`, raw: fields.raw, body, trailers, end: this.at })
  }
}

/** The requests that the fast door would take of these bytes: up to one that is the last, or that it hands over. */
export function ourRequests(bytes: string): readonly Message[] {
  const messages: Message[] = []
  for (let from = 0; ; ) {
    const found = bytes.indexOf('\r\n\r\n', from)
    const head = found < 0 ? undefined : parseRequestHead(Buffer.from(bytes.slice(from, found + 4), 'latin1'))
    const rest = head && bodyAt(head.framing, bytes, found + 4)
    if (!rest) return messages
    messages.push({ start: `${head.method} ${head.target}`, raw: head.fields.raw, ...rest })
    if (head.isLast) return messages
    from = rest.end
  }
}

function bodyAt(framing: Framing, bytes: string, from: number) {
  if (framing.kind !== 'chunked') {
    const end = from + (framing.kind === 'sized' ? framing.bytes : 0)
    return end > bytes.length ? undefined : { body: bytes.slice(from, end), trailers: [], end }
  }
  let body = ''
  const decoder = new ChunkedDecoder({
    data(piece) {
      body += piece.toString('latin1')
    },
  })
  const end = decoder.push(Buffer.from(bytes.slice(from), 'latin1'))
  return end === undefined || end < 0 ? undefined : { body, trailers: decoder.trailers, end: from + end }
}
