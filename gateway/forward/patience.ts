// How long an attempt waits: for the first byte, counted from the last byte of the request, and for the next while bytes should move.
// The danger it guards against: a stream cut by a time limit that was meant for answers, and a slow client's fault blamed on the upstream.
import { Failure } from '../errors.ts'
import type { Upstream } from '../model.ts'

export interface Patience {
  /** A byte has moved, either way. */
  moved(): void
  /** The last byte of the request is out. */
  requestSent(): void
  /** The answer's head is there. @param isStream it may stay silent for as long as it likes (event streams, tunnels) */
  answerStarted(isStream: boolean): void
  /** Nothing is expected to move until `moved`: the client is slow to read. */
  pause(): void
  stop(): void
}

interface Listeners {
  /** Called at most once. */
  giveUp(failure: Failure): void
  /** Whether it is the client's turn to send more of the request's body. */
  isClientsTurn(): boolean
}

/** One timer per attempt. */
export function startPatience(upstream: Upstream, { giveUp, isClientsTurn }: Listeners): Patience {
  const { firstByteMs, idleMs, name, target } = upstream
  const where = `${name} at ${target.origin}`
  let timer: NodeJS.Timeout | undefined
  let phase: 'sending' | 'waiting' | 'receiving' | 'free' = 'sending'

  const expire = () => {
    if (phase === 'waiting')
      giveUp(new Failure('upstreamFirstByteTimeout', `${where}: no answer within ${firstByteMs} ms`))
    else if (phase === 'sending' && isClientsTurn())
      giveUp(new Failure('requestTimeout', `the client sent nothing for ${idleMs} ms`, { mayHaveRun: true }))
    else giveUp(new Failure('upstreamIdleTimeout', `${where}: no byte moved for ${idleMs} ms`))
  }
  const wait = (ms: number) => {
    clearTimeout(timer)
    timer = setTimeout(expire, ms)
  }
  return {
    moved() {
      // refresh() moves the deadline without a new timer: this is called for every chunk.
      if (phase === 'free' || phase === 'waiting') return
      if (timer) timer.refresh()
      else wait(idleMs)
    },
    requestSent() {
      if (phase !== 'sending') return
      phase = 'waiting'
      wait(firstByteMs)
    },
    answerStarted(isStream) {
      phase = isStream ? 'free' : 'receiving'
      if (isStream) clearTimeout(timer)
      else wait(idleMs)
    },
    pause() {
      clearTimeout(timer)
      timer = undefined
    },
    stop() {
      phase = 'free'
      clearTimeout(timer)
    },
  }
}
