// Our own HTTP/1.1 client: one request to an upstream, streaming both ways.
// The danger it guards against: a request that runs twice. Only what provably never left is sent on another connection.
import type { Socket } from 'node:net'
import { Failure } from '../errors.ts'
import { fieldsOf } from '../message/fields.ts'
import type { Answer, Body } from '../model.ts'
import { AnswerBody } from './answerBody.ts'
import type { AnswerHead } from './answerHead.ts'
import type { Asker } from './asker.ts'
import type { Attempting } from './attempting.ts'
import type { Connection } from './connection.ts'
import { logsInConnection } from './connectionLogin.ts'
import { breakOf, failureOf, malformedAnswer, noConnection } from './failures.ts'
import { Patience } from './patience.ts'
import type { Pool, Waiter } from './pool.ts'
import { isSurelyUnsent, Sending } from './sending.ts'
import { upstreamAnswer } from './upstreamAnswer.ts'

const nothing: readonly string[] = []

export class Http1Attempt implements Waiter, Asker {
  readonly method: string
  readonly mayUpgrade: boolean
  readonly #parts: Attempting
  readonly #pool: Pool
  readonly #patience: Patience
  #connection: Connection | undefined
  #sending: Sending | undefined
  #answer: Answer | undefined
  #stream: AnswerBody | undefined
  #trailers = nothing
  #bodyBytes = 0
  /** Nothing that comes later counts. */
  #isOver = false

  constructor(parts: Attempting, pool: Pool) {
    const { method, upgrade } = parts.exchange
    this.#parts = parts
    this.#pool = pool
    this.method = method
    this.mayUpgrade = upgrade !== undefined
    this.#patience = new Patience(parts, this)
  }

  start(): void {
    const { exchange } = this.#parts
    exchange.onGone(() => this.fail(new Failure('clientGone', 'the client left')))
    if (!this.#isOver) this.#takeConnection()
  }

  /** Ends the attempt from our side. */
  fail(failure: Failure): void {
    if (this.#isOver) return
    const connection = this.#connection
    this.#end(failure)
    if (connection) connection.destroy()
    else this.#pool.cancel(this)
  }

  connected(connection: Connection): void {
    this.#connection = connection
    connection.ask(this)
    this.#patience.waitOn(connection.alarm)
    const sending = new Sending(this.#parts.exchange, this)
    this.#sending = sending
    sending.start(connection.socket)
    if (!sending.isSent && !this.#isOver) this.#patience.connected()
  }

  /** A piece of the request's body has gone out. */
  moved(): void {
    this.#patience.moved()
  }

  /** The last byte of the request has gone out. */
  sent(): void {
    this.#patience.requestSent()
  }

  failed(error: Error): void {
    this.#end(failureOf(error, this.#parts.exchange.upstream, false))
  }

  isSent(): boolean {
    return this.#sending?.isSent ?? false
  }

  isClientsTurn(): boolean {
    return this.#sending?.isClientsTurn() ?? false
  }

  informed(head: AnswerHead): void {
    if (head.status === 100) this.#sending?.invited()
    this.#patience.moved()
    this.#parts.exchange.inform(head.status, head.fields)
  }

  switched(head: AnswerHead, socket: Socket): void {
    this.#isOver = true
    this.#patience.stop()
    this.#parts.resolve(this.#answerFrom(head, undefined, socket))
  }

  answered(head: AnswerHead, body: Buffer | undefined | 'stream', trailers: readonly string[]): void {
    if (logsInConnection(this.#parts.exchange, head)) this.#keepToOneClient()
    // Whoever has refused the request wants no more of it (RFC 9112 §9.5).
    if (head.status >= 400 && !this.isSent()) this.#sending?.stop()
    if (body === 'stream') {
      this.#patience.answerStarted(head.fields.get('content-type'))
      this.#stream = new AnswerBody(this)
      this.#answer = this.#answerFrom(head, this.#stream)
    } else {
      this.#trailers = trailers
      this.#finish()
      this.#answer = this.#answerFrom(head, body)
    }
    this.#parts.resolve(this.#answer)
  }

  data(piece: Buffer): boolean {
    this.#bodyBytes += piece.length
    if (this.#stream?.feed(piece)) {
      this.#patience.moved()
      return true
    }
    this.#patience.pause()
    return false
  }

  ended(trailers: readonly string[]): void {
    this.#trailers = trailers
    this.#finish()
    this.#stream?.push(null)
  }

  broke(error: Error | undefined, isMalformed: boolean): void {
    if (this.#isOver) return
    const { exchange } = this.#parts
    const isUnsent = !this.#answer && isSurelyUnsent(exchange, error)
    // A fresh connection that is refused so says that the next would be too.
    if (isUnsent && this.#connection?.hasAnswered) {
      this.#connection = undefined
      this.#takeConnection()
      return
    }
    this.#end(isMalformed ? malformedAnswer(exchange.upstream) : failureOf(error, exchange.upstream, !isUnsent))
  }

  resume(): void {
    this.#patience.moved()
    this.#connection?.socket.resume()
  }

  /** The reader of the body has gone before its end. */
  abandoned(): void {
    this.fail(new Failure('clientGone', 'nobody reads the answer'))
  }

  #keepToOneClient(): void {
    const connection = this.#connection
    const client = this.#parts.exchange.client.connection
    if (!connection) return
    if (client) this.#pool.pin(connection, client)
    else connection.isSpent = true
  }

  #takeConnection(): void {
    const pool = this.#pool
    const { upstream } = this.#parts.exchange
    if (!pool.take(this, this.#parts.exchange)) {
      this.#end(new Failure('upstreamBusy', `${upstream.name}: too many requests wait for a connection`))
    } else if (!this.#connection) {
      // Only now: most requests find a connection at once and need no timer for it.
      this.#patience.connecting(() => noConnection(upstream, pool.isWaiting(this)))
    }
  }

  #finish(): void {
    this.#isOver = true
    this.#patience.stop()
    this.#sending?.stop()
  }

  /** With a failure: before the head it is the answer, after it the body breaks visibly. */
  #end(failure: Failure): void {
    if (this.#isOver) return
    this.#finish()
    this.#answer?.settle({ ...breakOf(failure), bodyBytes: this.#bodyBytes, at: this.#parts.clock.now() })
    this.#stream?.destroy(failure)
    // Says nothing any more to whoever has an answer.
    this.#parts.reject(failure)
  }

  #answerFrom({ status, reason, fields, framing }: AnswerHead, body: Body, tunnel?: Socket): Answer {
    const { exchange, clock } = this.#parts
    // Of an answer that is all there it is known whether it has any.
    const trailers = this.#stream || this.#trailers.length > 0 ? () => fieldsOf(this.#trailers) : undefined
    return upstreamAnswer(exchange, clock, { status, reason, fields, framing, body, trailers, tunnel })
  }
}
