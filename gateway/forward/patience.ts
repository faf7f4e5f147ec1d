// How long an attempt waits: for a connection, for the first byte (counted from the last byte of the request), and for the next
// one while bytes should move. The dangers it guards against: a stream cut by a time limit that was meant for answers, and a slow
// client's fault blamed on the upstream.
import { Failure } from '../errors.ts'
import type { Upstream } from '../model.ts'

interface Listeners {
  /** Called at most once. */
  giveUp(failure: Failure): void
  /** Whether it is the client's turn to send more of the request's body: an early answer may wait for it too. */
  isClientsTurn(): boolean
}

type Phase = 'connecting' | 'sending' | 'waiting' | 'receiving' | 'free'

/** One per attempt, with one timer. */
export class Patience {
  readonly #upstream: Upstream
  readonly #listeners: Listeners
  #phase: Phase = 'connecting'
  #timer: NodeJS.Timeout | undefined
  #unconnected: (() => Failure) | undefined

  constructor(upstream: Upstream, listeners: Listeners) {
    this.#upstream = upstream
    this.#listeners = listeners
  }

  /** @param failure what it is called when no connection comes in time */
  connecting(failure: () => Failure): void {
    this.#phase = 'connecting'
    this.#unconnected = failure
    this.#wait(this.#upstream.connectMs)
  }

  connected(): void {
    this.#phase = 'sending'
    this.#wait(this.#upstream.idleMs)
  }

  /** A byte has moved, either way. */
  moved(): void {
    if (this.#phase !== 'sending' && this.#phase !== 'receiving') return
    // refresh() moves the deadline without a new timer: this is called for every chunk.
    if (this.#timer) this.#timer.refresh()
    else this.#wait(this.#upstream.idleMs)
  }

  /** The last byte of the request is out. */
  requestSent(): void {
    if (this.#phase === 'receiving' || this.#phase === 'free') return
    this.#phase = 'waiting'
    this.#wait(this.#upstream.firstByteMs)
  }

  /** The answer's head is there. @param mayBeSilent for as long as it likes: event streams, tunnels */
  answerStarted(mayBeSilent: boolean): void {
    this.#phase = mayBeSilent ? 'free' : 'receiving'
    if (mayBeSilent) clearTimeout(this.#timer)
    else this.#wait(this.#upstream.idleMs)
  }

  /** Nothing is expected to move until `moved`: the client is slow to read. */
  pause(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  stop(): void {
    this.#phase = 'free'
    clearTimeout(this.#timer)
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#expire, ms)
  }

  readonly #expire = (): void => {
    const { giveUp, isClientsTurn } = this.#listeners
    const { name, target, firstByteMs, idleMs } = this.#upstream
    const where = `${name} at ${target.origin}`
    if (this.#phase === 'connecting' && this.#unconnected) giveUp(this.#unconnected())
    else if (this.#phase === 'waiting')
      giveUp(new Failure('upstreamFirstByteTimeout', `${where}: no answer within ${firstByteMs} ms`))
    else if (isClientsTurn())
      giveUp(new Failure('requestTimeout', `the client sent nothing for ${idleMs} ms`, { mayHaveRun: true }))
    else giveUp(new Failure('upstreamIdleTimeout', `${where}: no byte moved for ${idleMs} ms`))
  }
}

/** An event stream may be silent for hours: no time limit applies once its head is there. */
export function isEventStream(contentType: string | undefined): boolean {
  return contentType?.toLowerCase().startsWith('text/event-stream') ?? false
}
