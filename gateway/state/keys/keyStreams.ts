// Streams that were opened with a key of ours: event streams and tunnels. They end with the key.
// The danger it guards against: a key that is revoked, and whose holder stays connected for days.
import type { ApiKeys } from '../../model/ports.ts'
import type { Clock } from '../../model.ts'
import { type Endable, endableOf } from '../endable.ts'
import type { StreamParts } from '../streams.ts'

export interface KeyStreams {
  readonly hold: ApiKeys['hold']
  /** Ends those whose key does not work any more. */
  sweep(): void
  /** Of all keys: how many are open, and how many were ended here. */
  count(): { readonly open: number; readonly ended: number }
}

interface Parts {
  readonly clock: Pick<Clock, 'now'>
  readonly schedule: StreamParts['schedule']
  mayGoOn(keyId: string): boolean
}

/** Between the goodbye and the cut. */
const farewellMs = 1_000

export function createKeyStreams({ clock, schedule, mayGoOn }: Parts): KeyStreams {
  const held = new Map<Endable, string>()
  let ended = 0

  function end(endable: Endable): void {
    if (!held.delete(endable)) return
    ended += 1
    endable.leave()
    schedule(() => endable.cut(), farewellMs)
  }

  return {
    hold(answer, keyId) {
      const endable = endableOf(answer, clock)
      if (!endable) return answer
      held.set(endable, keyId)
      answer.onEnd(() => held.delete(endable))
      // It may have been revoked while the request was under way.
      if (!mayGoOn(keyId)) end(endable)
      return endable.answer
    },
    sweep() {
      for (const [endable, keyId] of held) if (!mayGoOn(keyId)) end(endable)
    },
    count: () => ({ open: held.size, ended }),
  }
}
