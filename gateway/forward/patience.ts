// How long an attempt waits: for a connection, for the first byte (counted from the last byte of the request), and for the next
// one while bytes should move. The dangers it guards against: a stream cut by a time limit that was meant for answers, and a slow
// client's fault blamed on the upstream.
import { Failure } from '../errors.ts'
import { isEventStream } from '../message/eventStream.ts'
import type { Upstream } from '../model.ts'
import { Alarm } from './alarm.ts'

/** Whose patience it is. */
interface Waiting {
  /** Called at most once. */
  fail(failure: Failure): void
  /** Whether it is the client's turn to send more of the request's body: an early answer may wait for it too. */
  isClientsTurn(): boolean
}

type Phase = 'connecting' | 'sending' | 'waiting' | 'receiving' | 'free'

/** One per attempt. */
export class Patience {
  readonly #upstream: Upstream
  readonly #waiting: Waiting
  #phase: Phase = 'connecting'
  #alarm: Alarm | undefined
  /** It ends with the attempt. */
  #own: Alarm | undefined
  #unconnected: (() => Failure) | undefined

  constructor(upstream: Upstream, waiting: Waiting) {
    this.#upstream = upstream
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

  /** The answer's head is there. */
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
    this.#alarm.set(ms, this.#expire)
  }

  readonly #expire = (): void => {
    const waiting = this.#waiting
    const { name, target, firstByteMs, idleMs } = this.#upstream
    const where = `${name} at ${target.origin}`
    if (this.#phase === 'connecting' && this.#unconnected) waiting.fail(this.#unconnected())
    else if (this.#phase === 'waiting')
      waiting.fail(new Failure('upstreamFirstByteTimeout', `${where}: no answer within ${firstByteMs} ms`))
    else if (waiting.isClientsTurn())
      waiting.fail(new Failure('requestTimeout', `the client sent nothing for ${idleMs} ms`, { mayHaveRun: true }))
    else waiting.fail(new Failure('upstreamIdleTimeout', `${where}: no byte moved for ${idleMs} ms`))
  }
}
