// Streams that were opened with a token: event streams and tunnels. They end when it does; a client that has a fresh one comes again.
// The danger it guards against: a token that is good for five minutes, and a connection that it keeps open for days.
import type { Answer, Clock } from '../../model.ts'
import { endableOf } from '../endable.ts'
import type { StreamParts } from '../streams.ts'

interface Parts {
  readonly clock: Pick<Clock, 'now' | 'wall'>
  readonly schedule: StreamParts['schedule']
}

/** Between the goodbye and the cut. */
const farewellMs = 1_000
/** Timers of more than 24 days fire at once, and a clock may be put right. */
const mostWaitMs = 60_000

/** @returns the Answer to be passed on in place of the one given; it ends at that time, in milliseconds since the epoch */
export type EndAt = (answer: Answer, untilMs: number) => Answer

export function createTokenStreams({ clock, schedule }: Parts): EndAt {
  return function endAt(answer, untilMs) {
    const endable = endableOf(answer, clock)
    if (!endable) return answer
    let isOpen = true
    answer.onEnd(() => {
      isOpen = false
    })

    const { leave, cut } = endable
    const look = () => {
      if (!isOpen) return
      const leftMs = untilMs - clock.wall()
      if (leftMs > 0) return schedule(look, Math.min(leftMs, mostWaitMs))
      leave()
      schedule(cut, farewellMs)
    }
    look()
    return endable.answer
  }
}
