// One request to an upstream that speaks HTTP/2, through undici, streaming both ways.
// The danger it guards against: half an answer that passes for a whole one, and a request whose fate is misjudged.
import { isIP, type LookupFunction } from 'node:net'
import { Readable } from 'node:stream'
import { buildConnector, type Dispatcher, H2CClient, Pool } from 'undici'
import { Failure } from '../errors.ts'
import { fieldsOf, namesOf, without } from '../message/fields.ts'
import type { Answer, Clock, Exchange, Target } from '../model.ts'
import { failureOf } from './failures.ts'
import { lend } from './lend.ts'
import { isEventStream, Patience } from './patience.ts'
import { upstreamAnswer } from './upstreamAnswer.ts'

/** Connections are few here: each carries many requests at a time. */
export function createHttp2Pool({ origin, host, secure, verify }: Target, lookup: LookupFunction): Pool {
  const connect = buildConnector({ lookup, allowH2: true, rejectUnauthorized: verify })
  // The certificate is the target's, whatever Host the client sent.
  const servername = isIP(host) ? '' : host
  // Our own clock decides on time: theirs starts before the request has been sent.
  const options = { headersTimeout: 0, bodyTimeout: 0 }
  if (!secure) return new Pool(origin, { ...options, factory: (url) => new H2CClient(url, options) })
  return new Pool(origin, {
    ...options,
    allowH2: true,
    connect: (target, callback) => connect({ ...target, servername }, callback),
  })
}

/** Rejects with a Failure when no head came; after the head a break destroys the body. */
export function askHttp2(exchange: Exchange, pool: Pool, clock: Clock): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const attempt = new Attempt({ exchange, clock, resolve, reject })
    exchange.onGone(() => attempt.fail(new Failure('clientGone', 'the client left')))
    const { body } = exchange
    try {
      pool.dispatch(
        {
          method: exchange.method as Dispatcher.HttpMethod,
          path: exchange.target,
          headers: without(exchange.fields, unsendable).raw as string[],
          body: body instanceof Readable ? lend(body) : (body ?? null),
        },
        attempt,
      )
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unsendable'
      attempt.fail(new Failure('requestMalformed', reason, { cause: error }))
    }
  })
}

/** undici refuses to send it. */
const unsendable = namesOf(['expect'])

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
  #trailers: readonly string[] = []

  constructor(parts: Parts) {
    const { upstream, body } = parts.exchange
    this.#parts = parts
    this.#patience = new Patience(upstream, {
      giveUp: (failure) => this.fail(failure),
      isClientsTurn: () => body instanceof Readable && !body.isPaused(),
    })
    this.#patience.connecting(
      () => new Failure('upstreamConnectTimeout', `${upstream.name}: no connection within ${upstream.connectMs} ms`),
    )
  }

  /** Ends the attempt from our side. */
  fail(failure: Failure): void {
    if (this.#failure) return
    this.#break(failure)
    this.#controller?.abort(failure)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#failure) {
      controller.abort(this.#failure)
      return
    }
    this.#patience.connected()
    if (this.#parts.exchange.body === undefined) this.#patience.requestSent()
  }

  onBodySent(): void {
    this.#patience.moved()
  }

  onRequestSent(): void {
    this.#patience.requestSent()
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _: unknown, reason = ''): void {
    const raw = rawOf(controller.rawHeaders)
    const fields = fieldsOf(raw)
    const { exchange, clock } = this.#parts
    if (status < 200) {
      exchange.inform(status, fields)
      return
    }
    this.#patience.answerStarted(isEventStream(fields.get('content-type')))
    const body = mayHaveBody(exchange.method, status) ? this.#openBody(controller) : undefined
    const trailers = () => this.#trailers
    this.#answer = upstreamAnswer(exchange, clock, { status, reason, raw, body, trailers })
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
    this.#trailers = rawOf(controller.rawTrailers)
    this.#stream?.push(null)
  }

  onResponseError(_: unknown, error: Error): void {
    if (this.#failure) return
    this.#break(failureOf(error, this.#parts.exchange.upstream, this.#controller !== undefined))
  }

  /** Before the head the failure is the answer; after it nothing replaces the answer: its body ends visibly broken. */
  #break(failure: Failure): void {
    this.#failure = failure
    this.#patience.stop()
    if (!this.#answer) {
      this.#parts.reject(failure)
      return
    }
    const how = failure.blame === 'client' ? 'clientGone' : 'upstreamBroke'
    this.#answer.settle({ how, bodyBytes: this.#bodyBytes, at: this.#parts.clock.now() })
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
function mayHaveBody(method: string, status: number): boolean {
  return method !== 'HEAD' && status !== 204 && status !== 304
}

/** HTTP/2 gives an object, fields of the same name as a list. */
function rawOf(raw: unknown): string[] {
  if (Array.isArray(raw)) return raw.map((part: Buffer | string) => part.toString('latin1'))
  return Object.entries((raw ?? {}) as Record<string, string | string[]>).flatMap(([name, value]) =>
    name.startsWith(':') ? [] : [value].flat().flatMap((one) => [name, one]),
  )
}
