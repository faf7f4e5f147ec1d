// One request to an upstream that speaks HTTP/2, streaming both ways. On node:http2 and not undici, which (8.12.4) takes a stream
// that was reset in mid-body with CANCEL, as a Node server does, for a whole answer.
// The danger it guards against: half an answer that passes for a whole one, and a request whose fate is misjudged.
import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2'
import { Readable } from 'node:stream'
import { Failure } from '../errors.ts'
import { fieldsOf } from '../message/fields.ts'
import type { Answer, Fields } from '../model.ts'
import { AnswerBody } from './answerBody.ts'
import { hasNoBody } from './answerHead.ts'
import type { Attempting } from './attempting.ts'
import { breakOf, failureOf, noConnection } from './failures.ts'
import { grouped, headersOf, withoutPseudo } from './http2Fields.ts'
import { Patience } from './patience.ts'
import { pump } from './pump.ts'
import type { Http2Pool } from './session.ts'
import { upstreamAnswer } from './upstreamAnswer.ts'

export class Http2Attempt {
  readonly #parts: Attempting
  readonly #pool: Http2Pool
  readonly #patience: Patience
  #stream: ClientHttp2Stream | undefined
  #answer: Answer | undefined
  #body: AnswerBody | undefined
  #bodyBytes = 0
  #trailers: readonly string[] = []
  #isSent = false
  #stopUpload = () => {}
  /** Nothing that comes later counts. */
  #isOver = false

  constructor(parts: Attempting, pool: Http2Pool) {
    const { body } = parts.exchange
    this.#parts = parts
    this.#pool = pool
    this.#patience = new Patience(parts, {
      fail: (failure) => this.#giveUp(failure),
      isClientsTurn: () => this.#stream !== undefined && !this.#isSent && body instanceof Readable && !body.isPaused(),
    })
  }

  start(): void {
    const { exchange } = this.#parts
    exchange.onGone(() => this.#fail(new Failure('clientGone', 'the client left')))
    if (this.#isOver) return
    this.#patience.connecting(() => noConnection(exchange.upstream, this.#pool.room.isWaiting(this)))
    this.#pool.take(this, exchange).then(
      (session) => this.#send(session),
      (error: unknown) => this.#fail(failureOf(error, exchange.upstream, false)),
    )
  }

  /** The reader of the body wants more. */
  resume(): void {
    this.#patience.moved()
    this.#stream?.resume()
  }

  /** The reader of the body has gone before its end. */
  abandoned(): void {
    this.#fail(new Failure('clientGone', 'nobody reads the answer'))
  }

  /** A session that did not answer in time may be dead: the next request shall not wait for it. */
  #giveUp(failure: Failure): void {
    if (failure.blame === 'upstream' && failure.code !== 'deadlinePassed' && !this.#answer) this.#pool.retire()
    this.#fail(failure)
  }

  #send(session: ClientHttp2Session): void {
    if (this.#isOver) return
    const { exchange } = this.#parts
    this.#patience.connected()
    try {
      this.#stream = this.#open(session)
    } catch (error) {
      // It is about the request, or the session has just gone: in both cases nothing has been written.
      const failure =
        session.closed || session.destroyed ? failureOf(error, exchange.upstream, false) : unsendableBy(error)
      this.#fail(failure)
      return
    }
    this.#listen(this.#stream)
    this.#upload(this.#stream)
  }

  #open(session: ClientHttp2Session): ClientHttp2Stream {
    const { body, trailers } = this.#parts.exchange
    const endStream = body === undefined
    return session.request(headersOf(this.#parts.exchange), {
      endStream,
      waitForTrailers: !endStream && trailers !== undefined,
    })
  }

  #upload(stream: ClientHttp2Stream): void {
    const { body, trailers } = this.#parts.exchange
    const sent = () => {
      this.#isSent = true
      this.#patience.requestSent()
    }
    if (body === undefined) {
      sent()
      return
    }
    stream.once('finish', sent)
    if (trailers) stream.once('wantTrailers', () => stream.sendTrailers(grouped(trailers().raw)))
    if (!(body instanceof Readable)) {
      stream.end(body)
      return
    }
    this.#stopUpload = pump(body, stream, {
      write: (piece) => stream.write(piece),
      moved: () => this.#patience.moved(),
      ended: () => stream.end(),
      failed: (failure) => this.#fail(failure),
    })
  }

  #listen(stream: ClientHttp2Stream): void {
    const { exchange } = this.#parts
    stream.on('headers', (headers, _, raw) => {
      this.#patience.moved()
      exchange.inform(Number(headers[':status']), fieldsOf(withoutPseudo(raw)))
    })
    stream.once('response', (headers, _, raw) =>
      this.#answered(Number(headers[':status']), fieldsOf(withoutPseudo(raw))),
    )
    stream.once('trailers', (_, __, raw) => {
      this.#trailers = raw
    })
    stream.on('data', (piece: Buffer) => this.#data(piece))
    stream.once('end', () => this.#end())
    stream.on('error', (error) => this.#broke(error))
    stream.once('close', () => this.#broke(undefined))
  }

  #answered(status: number, fields: Fields): void {
    if (this.#isOver) return
    const { exchange, clock } = this.#parts
    this.#patience.answerStarted(fields.get('content-type'))
    this.#body = hasNoBody(status, exchange.method) ? undefined : new AnswerBody(this)
    const trailers = () => fieldsOf(this.#trailers)
    this.#answer = upstreamAnswer(exchange, clock, {
      status,
      reason: '',
      fields,
      body: this.#body,
      trailers,
      tunnel: undefined,
    })
    this.#parts.resolve(this.#answer)
  }

  #data(piece: Buffer): void {
    this.#bodyBytes += piece.length
    this.#patience.moved()
    if (this.#body?.feed(piece) !== false) return
    this.#stream?.pause()
    this.#patience.pause()
  }

  /** Node ends the stream of a reset, too: only the code tells the two apart. */
  #end(): void {
    if (this.#isOver || !this.#answer || this.#stream?.rstCode !== constants.NGHTTP2_NO_ERROR) return
    this.#finish()
    this.#body?.push(null)
    // An answer that came before the request had gone out: the rest is not wanted.
    if (!this.#isSent) this.#stream.close(constants.NGHTTP2_NO_ERROR)
  }

  #broke(error: Error | undefined): void {
    const isRefused = this.#stream?.rstCode === constants.NGHTTP2_REFUSED_STREAM
    // A refused stream has not been looked at (RFC 9113 §8.7).
    this.#fail(failureOf(error, this.#parts.exchange.upstream, !isRefused))
  }

  #finish(): void {
    this.#isOver = true
    this.#patience.stop()
    this.#pool.room.leave(this)
    this.#stopUpload()
  }

  /** Before the head the failure is the answer; after it nothing replaces the answer: its body ends visibly broken. */
  #fail(failure: Failure): void {
    if (this.#isOver) return
    this.#finish()
    this.#answer?.settle({ ...breakOf(failure), bodyBytes: this.#bodyBytes, at: this.#parts.clock.now() })
    this.#stream?.close(constants.NGHTTP2_CANCEL)
    this.#body?.destroy(failure)
    // Says nothing any more to whoever has an answer.
    this.#parts.reject(failure)
  }
}

function unsendableBy(error: unknown): Failure {
  return new Failure('requestMalformed', error instanceof Error ? error.message : 'unsendable', { cause: error })
}
