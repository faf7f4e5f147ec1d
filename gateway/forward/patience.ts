// How long an attempt waits: for a connection, for the first byte (counted from the last byte of the request), and for the next
// one while bytes should move. The dangers it guards against: a stream cut by a time limit that was meant for answers, and a slow
// client's fault blamed on the upstream.
import { Failure } from '../errors.ts'
import { isEventStream } from '../message/eventStream.ts'
import type { Clock, Exchange, Upstream } from '../model.ts'
import { Alarm } from './alarm.ts'

/** Whose patience it is. */
interface Waiting {
  /** Called at most once. */
  fail(failure: Failure): void
  /** Whether it is the client's turn to send more of the request's body: an early answer may wait for it too. */
  isClientsTurn(): boolean
}

type Phase = 'connecting' | 'sending' | 'waiting' | 'receiving' | 'free'

interface Asked {
  readonly exchange: Pick<Exchange, 'upstream' | 'deadlineAt' | 'isClientsDeadline'>
  readonly clock: Pick<Clock, 'now'>
}

/** One per attempt. */
export class Patience {
  readonly #asked: Asked
  readonly #upstream: Upstream
  readonly #waiting: Waiting
  /** Whether what is waited for is the exchange's deadline, which comes before the limit of its upstream. */
  #isLastMoment = false
  #phase: Phase = 'connecting'
  #alarm: Alarm | undefined
  /** It ends with the attempt. */
  #own: Alarm | undefined
  #unconnected: (() => Failure) | undefined

  constructor(asked: Asked, waiting: Waiting) {
    this.#asked = asked
    this.#upstream = asked.exchange.upstream
    this.#waiting = waiting
  }

  /** @param failure what it is called when no connection comes in time */
  connecting(failure: () => Failure): void {
    this.#phase = 'connecting'
    this.#unconnected = failure
    this.#turnTo(undefined)
    this.#wait(this.#upstream.connectMs)
  }

  /** @param alarm of the connection on which the attempt is made: requests come and go, and it stays */
  waitOn(alarm: Alarm): void {
    this.#turnTo(alarm)
  }

  connected(): void {
    this.#phase = 'sending'
    this.#wait(this.#upstream.idleMs)
  }

  /** A byte has moved, either way. */
  moved(): void {
    if (this.#phase === 'sending' || this.#phase === 'receiving') this.#wait(this.#upstream.idleMs)
  }

  /** The last byte of the request is out. */
  requestSent(): void {
    if (this.#phase === 'receiving' || this.#phase === 'free') return
    this.#phase = 'waiting'
    this.#wait(this.#upstream.firstByteMs)
  }

  /** The answer's head is there: no deadline cuts it any more. */
  answerStarted(contentType: string | undefined): void {
    const mayBeSilent = isEventStream(contentType)
    this.#phase = mayBeSilent ? 'free' : 'receiving'
    if (mayBeSilent) this.#alarm?.lift()
    else this.#wait(this.#upstream.idleMs)
  }

  /** Nothing is expected to move until `moved`: the client is slow to read. */
  pause(): void {
    this.#alarm?.lift()
  }

  stop(): void {
    this.#phase = 'free'
    this.#turnTo(undefined)
  }

  #turnTo(alarm: Alarm | undefined): void {
    this.#alarm?.lift()
    this.#own?.end()
    this.#own = undefined
    this.#alarm = alarm
  }

  #wait(ms: number): void {
    if (!this.#alarm) {
      this.#own = new Alarm()
      this.#alarm = this.#own
    }
    const leftMs = this.#leftMs()
    this.#isLastMoment = leftMs < ms
    this.#alarm.set(Math.min(ms, leftMs), this.#expire)
  }

  /** Until the deadline. */
  #leftMs(): number {
    const { exchange, clock } = this.#asked
    if (exchange.deadlineAt === undefined || this.#phase === 'receiving') return Number.POSITIVE_INFINITY
    return exchange.deadlineAt - clock.now()
  }

  readonly #expire = (): void => this.#waiting.fail(this.#failure())

  #failure(): Failure {
    const { name, target, firstByteMs, idleMs } = this.#upstream
    const where = `${name} at ${target.origin}`
    if (this.#isLastMoment && this.#asked.exchange.isClientsDeadline) {
      const mayHaveRun = this.#phase !== 'connecting'
      return new Failure('clientDeadlinePassed', `${where}: no answer while the client would wait`, { mayHaveRun })
    }
    if (this.#phase === 'connecting' && this.#unconnected) return this.#notConnected(this.#unconnected(), where)
    if (this.#phase !== 'waiting' && this.#waiting.isClientsTurn())
      return new Failure('requestTimeout', `the client kept ${name} waiting`, { mayHaveRun: true })
    if (this.#isLastMoment) return new Failure('deadlinePassed', `${where}: no answer by the route's deadline`)
    if (this.#phase === 'waiting')
      return new Failure('upstreamFirstByteTimeout', `${where}: no answer within ${firstByteMs} ms`)
    return new Failure('upstreamIdleTimeout', `${where}: no byte moved for ${idleMs} ms`)
  }

  /** Whose fault it is depends on what was missing, a place of ours or a way there, whatever ended the wait. */
  #notConnected(failure: Failure, where: string): Failure {
    if (!this.#isLastMoment) return failure
    const { blame } = failure
    return new Failure('deadlinePassed', `${where}: no connection by the route's deadline`, {
      blame,
      mayHaveRun: false,
    })
  }
}
