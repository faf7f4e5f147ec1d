// One client connection of the fast door: heads in, answers out, one request at a time and in order (RFC 9112 §9.3).
// The dangers it guards against: a byte of one request in another, and a connection kept after a byte that nobody can place.
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FailureCode } from '../errors.ts'
import { plainAddress } from '../message/addresses.ts'
import { dropBody } from '../message/answer.ts'
import { fieldsOf } from '../message/fields.ts'
import type { Answer, ClientConnection, Clock, EndHow, Fields } from '../model.ts'
import { writeAnswer } from './answerBytes.ts'
import type { Journey } from './journey.ts'
import { isClientsFault, refusalOf } from './refuse.ts'
import { parseRequestHead, type RequestHead } from './requestHead.ts'
import { Visit } from './visit.ts'

export interface FastPorts {
  readonly clock: Clock
  readonly journey: Journey
  isDraining(): boolean
  refused(code: FailureCode): void
  /** Takes over a connection at a request boundary, with these bytes unread. */
  handOver(socket: Socket, bytes: Buffer): void
}

/** Beyond this a head is the general door's business. */
const mostHeadBytes = 16 * 1024
/** What may wait behind the request under way before the client is read no further. */
const mostPipelinedBytes = 64 * 1024
/** A close while the client still sends would reset the connection, and its answer with it (RFC 9112 §9.6). */
const lingerMs = 2_000
const nothing: Buffer = Buffer.alloc(0)

export class FastConnection implements ClientConnection {
  readonly socket: Socket
  readonly #ports: FastPorts
  readonly #peer: string
  readonly #tls: boolean
  /** Bytes that no request has claimed yet. */
  #unread = nothing
  #visit: Visit | undefined
  /** Since when it has been waiting for a head, or for the rest of one. */
  waitingSince: number
  #hasPartialHead = false
  #isEnding = false

  constructor(socket: Socket, ports: FastPorts) {
    this.socket = socket
    this.#ports = ports
    this.#peer = plainAddress(socket.remoteAddress ?? '')
    this.#tls = 'encrypted' in socket
    this.waitingSince = ports.clock.now()
    socket.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError).on('close', this.#onClose)
  }

  onClose(listener: () => void): void {
    this.socket.once('close', listener)
  }

  /** Between two requests, with nothing of the next one there. */
  get isIdle(): boolean {
    return !this.#visit && this.#unread.length === 0 && !this.#isEnding
  }

  /** In the middle of a head. */
  get hasPartialHead(): boolean {
    return this.#hasPartialHead && !this.#isEnding
  }

  /** Says why, and closes; nothing that comes after is read. */
  refuse(code: FailureCode): void {
    this.#ports.refused(code)
    writeAnswer(refusalOf(code, this.#ports.clock.now), { method: 'GET', isLast: true }, this.socket, {
      done: this.#linger,
      broke: this.#linger,
    })
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isEnding) return
    const visit = this.#visit
    if (visit && !visit.isWhole) {
      this.#feed(visit, chunk)
      return
    }
    this.#unread = this.#unread.length > 0 ? Buffer.concat([this.#unread, chunk]) : chunk
    if (!visit) this.#readHead()
    else if (this.#unread.length > mostPipelinedBytes) this.socket.pause()
  }

  #readHead(): void {
    const bytes = this.#unread
    const end = bytes.indexOf('\r\n\r\n', 0, 'latin1') + 4
    if (end < 4) {
      this.#judgePartialHead(bytes)
      return
    }
    const head = end <= mostHeadBytes ? parseRequestHead(bytes.toString('latin1', 0, end)) : undefined
    if (!head) {
      this.#handOver()
      return
    }
    this.#unread = nothing
    this.#begin(head, bytes.length === end ? nothing : bytes.subarray(end))
  }

  /** A line that ends in a bare LF ends no head of ours, however long we wait. */
  #judgePartialHead(bytes: Buffer): void {
    if (!this.#hasPartialHead) this.waitingSince = this.#ports.clock.now()
    this.#hasPartialHead = true
    const lf = bytes.indexOf(0x0a)
    if (bytes.length > mostHeadBytes || lf === 0 || (lf > 0 && bytes[lf - 1] !== 0x0d)) this.#handOver()
  }

  #handOver(): void {
    const bytes = this.#unread
    this.#unread = nothing
    this.#isEnding = true
    this.socket
      .off('data', this.#onData)
      .off('end', this.#onEnd)
      .off('error', this.#onError)
      .off('close', this.#onClose)
    this.#ports.handOver(this.socket, bytes)
  }

  #begin(head: RequestHead, rest: Buffer): void {
    this.#hasPartialHead = false
    const visit = new Visit(head, this.socket)
    this.#visit = visit
    if (rest.length > 0) this.#feed(visit, rest)
    if (this.#isEnding) return
    const { method, target } = head
    void this.#ports
      .journey({
        method,
        target,
        fields: fieldsOf(head.raw),
        body: visit.open(),
        trailers: visit.trailers,
        peer: this.#peer,
        tls: this.#tls,
        connection: this,
        onGone: visit.onGone,
        inform: (status, fields) => this.#inform(visit, status, fields),
      })
      .then((answer) => this.#answer(visit, answer))
  }

  #feed(visit: Visit, bytes: Buffer): void {
    const rest = visit.feed(bytes)
    if (rest === undefined) this.#breakOff(visit)
    else if (rest.length > 0) this.#unread = rest
  }

  /** The request's body is malformed: what follows it on the connection nobody can place (RFC 9112 §11.2). */
  #breakOff(visit: Visit): void {
    this.#visit = undefined
    visit.leave()
    if (visit.hasAnswer) this.socket.destroy()
    else this.refuse('requestMalformed')
  }

  #inform(visit: Visit, status: number, fields: Fields): void {
    if (this.#visit !== visit || visit.hasAnswer) return
    let lines = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
    for (let i = 0; i < fields.raw.length; i += 2) lines += `${fields.raw[i]}: ${fields.raw[i + 1]}\r\n`
    this.socket.write(`${lines}\r\n`, 'latin1')
  }

  #answer(visit: Visit, answer: Answer): void {
    const settle = (how: EndHow, bodyBytes: number) => answer.settle({ how, bodyBytes, at: this.#ports.clock.now() })
    if (this.#visit !== visit || this.socket.destroyed) {
      settle('clientGone', 0)
      dropBody(answer.body)
      return
    }
    visit.hasAnswer = true
    const isLast = visit.head.isLast || this.#ports.isDraining() || isClientsFault(answer)
    visit.onGone(() => {
      settle('clientGone', 0)
      dropBody(answer.body)
    })
    writeAnswer(answer, { method: visit.head.method, isLast }, this.socket, {
      done: (bodyBytes) => {
        settle('complete', bodyBytes)
        this.#finish(visit, isLast)
      },
      broke: (bodyBytes) => {
        settle('upstreamBroke', bodyBytes)
        this.socket.destroy()
      },
    })
  }

  #finish(visit: Visit, isLast: boolean): void {
    if (this.#visit !== visit) return
    if (isLast) {
      this.#linger()
      return
    }
    // What the upstream did not want to read is read off, so that the connection can carry the next request.
    if (!visit.isWhole) {
      visit.readOff(() => this.#next(visit))
      return
    }
    this.#next(visit)
  }

  #next(visit: Visit): void {
    if (this.#visit !== visit) return
    this.#visit = undefined
    this.waitingSince = this.#ports.clock.now()
    if (this.socket.isPaused()) this.socket.resume()
    if (this.#unread.length > 0) this.#readHead()
  }

  readonly #linger = (): void => {
    this.#isEnding = true
    this.#visit = undefined
    this.socket.resume()
    this.socket.end()
    const timer = setTimeout(() => this.socket.destroy(), lingerMs)
    this.socket.once('close', () => clearTimeout(timer))
  }

  /** Whoever closes his side while he waits for an answer has left: a half-close cannot be told from that. */
  readonly #onEnd = (): void => {
    if (this.#visit) this.socket.destroy()
    else this.socket.end()
  }

  readonly #onError = (): void => {
    this.socket.destroy()
  }

  readonly #onClose = (): void => {
    const visit = this.#visit
    this.#visit = undefined
    visit?.leave()
  }
}
