// Our own HTTP/1.1 client: one request to an upstream, streaming both ways.
// The danger it guards against: a request that runs twice. Only what provably never left is sent on another connection.
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { Failure } from '../errors.ts'
import { answerOf } from '../message/answer.ts'
import { fieldsOf } from '../message/fields.ts'
import type { Answer, Body, Clock, Exchange } from '../model.ts'
import type { AnswerHead } from './answerHead.ts'
import type { Asker, Connection } from './connection.ts'
import { failureOf } from './failures.ts'
import { isEventStream, Patience } from './patience.ts'
import type { Pool, Waiter } from './pool.ts'
import { sendRequest } from './requestBytes.ts'

/** Rejects with a Failure when no head came; after the head a break destroys the body. */
export function askHttp1(exchange: Exchange, pool: Pool, clock: Clock): Promise<Answer> {
  return new Promise((resolve, reject) => {
    new Attempt({ exchange, pool, clock, resolve, reject }).start()
  })
}

/** Far below any send buffer. */
const mostUnsentBytes = 8 * 1024

interface Parts {
  readonly exchange: Exchange
  readonly pool: Pool
  readonly clock: Clock
  resolve(answer: Answer): void
  reject(failure: Failure): void
}

class Attempt implements Waiter, Asker {
  readonly method: string
  readonly mayUpgrade: boolean
  readonly #parts: Parts
  readonly #patience: Patience
  #connection: Connection | undefined
  #isSent = false
  #stopSending = () => {}
  #answer: Answer | undefined
  #stream: AnswerBody | undefined
  #trailers: readonly string[] = []
  #bodyBytes = 0
  /** Nothing that comes later counts. */
  #isOver = false

  constructor(parts: Parts) {
    const { exchange } = parts
    this.#parts = parts
    this.method = exchange.method
    this.mayUpgrade = exchange.upgrade !== undefined
    const { body } = exchange
    this.#patience = new Patience(exchange.upstream, {
      giveUp: (failure) => this.fail(failure),
      isClientsTurn: () => body instanceof Readable && !body.isPaused(),
    })
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
    else this.#parts.pool.cancel(this)
  }

  connected(connection: Connection): void {
    const { exchange } = this.#parts
    this.#connection = connection
    this.#patience.connected()
    connection.ask(this)
    this.#stopSending = sendRequest(exchange, connection.socket, {
      moved: () => this.#patience.moved(),
      sent: () => {
        this.#isSent = true
        this.#patience.requestSent()
      },
      failed: (failure) => this.fail(failure),
    })
  }

  failed(error: Error): void {
    this.#end(failureOf(error, this.#parts.exchange.upstream, false))
  }

  isSent(): boolean {
    return this.#isSent
  }

  informed(head: AnswerHead): void {
    this.#patience.moved()
    this.#parts.exchange.inform(head.status, fieldsOf(head.raw))
  }

  switched(head: AnswerHead, socket: Socket): void {
    this.#isOver = true
    this.#patience.stop()
    this.#parts.resolve(this.#answerFrom(head, undefined, socket))
  }

  answered(head: AnswerHead, body: Buffer | undefined | 'stream', trailers: readonly string[]): void {
    const { exchange, pool } = this.#parts
    const connection = this.#connection
    if (offersConnectionLogin(head) && connection && exchange.client.connection) {
      pool.pin(connection, exchange.client.connection)
    }
    if (body === 'stream') {
      this.#patience.answerStarted(isEventStream(fieldsOf(head.raw).get('content-type')))
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
    if (this.#stream?.push(piece)) {
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
    const { upstream } = this.#parts.exchange
    if (this.#isUnsent(error)) {
      this.#connection = undefined
      this.#isSent = false
      this.#takeConnection()
      return
    }
    const where = `${upstream.name} at ${upstream.target.origin}`
    if (isMalformed) this.#end(new Failure('upstreamMalformed', `${where}: its answer is malformed or ambiguous`))
    else this.#end(failureOf(error, upstream, true))
  }

  /** The reader of the body wants more. */
  resume(): void {
    this.#patience.moved()
    this.#connection?.socket.resume()
  }

  /** The reader of the body has gone before its end. */
  abandoned(): void {
    this.fail(new Failure('clientGone', 'nobody reads the answer'))
  }

  /**
   * Whether the system refused the one write that the whole request was (EPIPE, ECONNRESET): the upstream had closed the idle
   * connection and has seen no byte of it. A small write to an idle connection is taken whole or not at all.
   */
  #isUnsent(error: Error | undefined): boolean {
    const { body } = this.#parts.exchange
    const isOneWrite = !(body instanceof Readable) && (body?.length ?? 0) <= mostUnsentBytes
    return isOneWrite && !this.#answer && (error as NodeJS.ErrnoException | undefined)?.syscall === 'write'
  }

  #takeConnection(): void {
    const { exchange, pool } = this.#parts
    const { upstream, client } = exchange
    this.#patience.connecting(() =>
      pool.isWaiting(this)
        ? new Failure('upstreamBusy', `${upstream.name}: no connection came free within ${upstream.connectMs} ms`)
        : new Failure('upstreamConnectTimeout', `${upstream.name}: no connection within ${upstream.connectMs} ms`),
    )
    if (!pool.take(this, upstream.maxConnections, client.connection)) {
      this.#end(new Failure('upstreamBusy', `${upstream.name}: too many requests wait for a connection`))
    }
  }

  #finish(): void {
    this.#isOver = true
    this.#patience.stop()
    this.#stopSending()
  }

  /** With a failure: before the head it is the answer, after it the body breaks visibly. */
  #end(failure: Failure): void {
    if (this.#isOver) return
    this.#finish()
    if (!this.#answer) {
      this.#parts.reject(failure)
      return
    }
    const how = failure.blame === 'client' ? 'clientGone' : 'upstreamBroke'
    this.#answer.settle({ how, bodyBytes: this.#bodyBytes, at: this.#parts.clock.now() })
    this.#stream?.destroy(failure)
  }

  #answerFrom(head: AnswerHead, body: Body, tunnel?: Socket): Answer {
    const { exchange, clock } = this.#parts
    return answerOf(
      {
        status: head.status,
        reason: head.reason,
        fields: fieldsOf(head.raw),
        body,
        trailers: () => fieldsOf(this.#trailers),
        by: 'upstream',
        upstream: exchange.upstream.name,
        ...(tunnel ? { tunnel } : {}),
      },
      clock.now,
    )
  }
}

/** The body of an answer that did not come whole with its head. */
class AnswerBody extends Readable {
  readonly #attempt: Attempt

  constructor(attempt: Attempt) {
    super()
    this.#attempt = attempt
  }

  override _read(): void {
    this.#attempt.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#attempt.abandoned()
    callback(error)
  }
}

/** NTLM and Negotiate log in a connection, not a request (RFC 4559 §6): whoever used it next would be that user. */
function offersConnectionLogin({ status, raw }: AnswerHead): boolean {
  if (status !== 401 && status !== 407) return false
  return fieldsOf(raw)
    .all('www-authenticate')
    .some((challenge) => /(?:^|,)\s*(?:ntlm|negotiate)\b/i.test(challenge))
}
