// One plain request to an upstream through undici's dispatch, streaming both ways.
// The danger it guards against: half an answer that passes for a whole one, and a request whose fate is misjudged.
import { Readable } from 'node:stream'
import type { Dispatcher, Pool } from 'undici'
import { Failure } from '../errors.ts'
import { answerOf } from '../message/answer.ts'
import { fieldsOf, noFields, without } from '../message/fields.ts'
import type { Answer, Clock, Exchange, Fields } from '../model.ts'
import { failureOf } from './failures.ts'
import { lend } from './lend.ts'
import { type Patience, startPatience } from './patience.ts'

/** Rejects with a Failure when no head came; after the head a break destroys the body. */
export function dispatch(exchange: Exchange, pool: Pool, clock: Clock): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const attempt = new Attempt({ exchange, clock, resolve, reject })
    exchange.onGone(() => attempt.fail(new Failure('clientGone', 'the client left')))
    const { body } = exchange
    try {
      pool.dispatch(
        {
          method: exchange.method as Dispatcher.HttpMethod,
          path: exchange.target,
          headers: without(exchange.fields, answeredHere).raw as string[],
          body: body instanceof Readable ? lend(body) : (body ?? null),
        },
        attempt,
      )
    } catch (error) {
      attempt.fail(
        new Failure('requestMalformed', error instanceof Error ? error.message : 'unsendable', { cause: error }),
      )
    }
  })
}

/** The general door's server has answered 100 by itself; undici refuses to send the field. */
const answeredHere = new Set(['expect'])

interface Parts {
  readonly exchange: Exchange
  readonly clock: Clock
  resolve(answer: Answer): void
  reject(failure: Failure): void
}

class Attempt implements Dispatcher.DispatchHandler {
  readonly #parts: Parts
  readonly #patience: Patience
  #controller: Dispatcher.DispatchController | undefined
  #failure: Failure | undefined
  #answer: Answer | undefined
  #stream: Readable | undefined
  #bodyBytes = 0
  #trailers: Fields = noFields

  constructor(parts: Parts) {
    this.#parts = parts
    const { upstream, body } = parts.exchange
    this.#patience = startPatience(upstream, {
      giveUp: (failure) => this.fail(failure),
      isClientsTurn: () => body instanceof Readable && !body.isPaused(),
    })
  }

  /** Ends the attempt from our side. */
  fail(failure: Failure): void {
    if (this.#failure) return
    this.#failure = failure
    this.#patience.stop()
    if (this.#answer) this.#break()
    else this.#parts.reject(failure)
    this.#controller?.abort(failure)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#failure) controller.abort(this.#failure)
    else if (this.#parts.exchange.body === undefined) this.#patience.requestSent()
    else this.#patience.moved()
  }

  onBodySent(): void {
    this.#patience.moved()
  }

  onRequestSent(): void {
    this.#patience.requestSent()
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _: unknown, reason = ''): void {
    const fields = fieldsOf(rawOf(controller.rawHeaders))
    if (status < 200) {
      this.#parts.exchange.inform(status, fields)
      return
    }
    this.#patience.answerStarted(isEventStream(fields))
    const { exchange, clock } = this.#parts
    const body = mayHaveBody(exchange.method, status, fields) ? this.#openBody(controller) : undefined
    this.#answer = answerOf(
      {
        status,
        reason,
        fields,
        body,
        trailers: () => this.#trailers,
        by: 'upstream',
        upstream: exchange.upstream.name,
      },
      clock.now,
    )
    this.#parts.resolve(this.#answer)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bodyBytes += chunk.length
    this.#patience.moved()
    if (this.#stream && !this.#stream.push(chunk)) {
      controller.pause()
      this.#patience.pause()
    }
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#patience.stop()
    this.#trailers = fieldsOf(rawOf(controller.rawTrailers))
    this.#stream?.push(null)
  }

  onResponseError(_: unknown, error: Error): void {
    this.#patience.stop()
    if (this.#failure) return
    this.#failure = failureOf(error, this.#parts.exchange.upstream, this.#controller !== undefined)
    if (this.#answer) this.#break()
    else this.#parts.reject(this.#failure)
  }

  /** After the head nothing replaces the answer: its body ends visibly broken. */
  #break(): void {
    const failure = this.#failure ?? new Failure('upstreamTruncated', 'the answer broke off')
    const how = failure.blame === 'client' ? 'clientGone' : 'upstreamBroke'
    this.#answer?.settle({ how, bodyBytes: this.#bodyBytes, at: this.#parts.clock.now() })
    this.#stream?.destroy(failure)
  }

  #openBody(controller: Dispatcher.DispatchController): Readable {
    const stream = new Readable({
      read: () => {
        this.#patience.moved()
        controller.resume()
      },
      destroy: (error, callback) => {
        if (!stream.readableEnded) controller.abort(error ?? new Failure('clientGone', 'nobody reads the answer'))
        this.#patience.stop()
        callback(error)
      },
    })
    this.#stream = stream
    return stream
  }
}

/** RFC 9110 §6.4.1, §9.3.2, §15.4.5: these have no body, whatever their fields say. */
function mayHaveBody(method: string, status: number, fields: Fields): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304 && fields.get('content-length') !== '0'
}

/** An event stream may be silent for hours: no time limit applies once its head is there. */
function isEventStream(fields: Fields): boolean {
  return fields.get('content-type')?.toLowerCase().startsWith('text/event-stream') ?? false
}

function rawOf(raw: unknown): string[] {
  if (!Array.isArray(raw)) return []
  return raw.map((part: Buffer | string) => (typeof part === 'string' ? part : part.toString('latin1')))
}
