// Streams that the new sides of moves have open: event streams and tunnels, which end by nobody's request. When a move goes back,
// those whose client now belongs to the old side are ended with a goodbye, spread over `closeStreams`: their clients come again at
// once, and the old side must not get them all in one moment. Downloads are left alone: they are finite, and half a file is a
// broken one. The danger it guards against: a client who stays with a side that has been left, for as long as it lasts.
import type { Stream, Streams } from '../model/ports.ts'
import type { Clock, RolloutDeclaration } from '../model.ts'
import { compareStandings } from '../rollout/standing.ts'
import { type Endable, endableOf } from './endable.ts'
import type { RolloutChange } from './rolloutBook.ts'

export interface StreamBook extends Streams {
  /** A move has been turned: whom it leaves is told to go. */
  turned(change: Pick<RolloutChange, 'rollout' | 'from' | 'to'>): void
  /** Of the new side of that rollout: how many are open, and how many were ended by us. */
  count(key: string): { readonly open: number; readonly ended: number }
}

export interface StreamParts {
  readonly clock: Pick<Clock, 'now'>
  /** Runs it later; never what keeps a process alive. */
  schedule(run: () => void, afterMs: number): void
}

interface Held extends Endable {
  readonly stream: Stream
}

/** The streams of one rollout. */
interface Entry {
  readonly open: Set<Held>
  ended: number
  /** Monotonic milliseconds at which it went back last; who came before may be answered only now. */
  wentBackAt: number
}

/** Between the goodbye and the cut. */
const mostFarewellMs = 2_000
/** Timers of more than 24 days fire at once. */
const mostWaitMs = 60_000

export const realSchedule: StreamParts['schedule'] = (run, afterMs) => void setTimeout(run, afterMs).unref()

export function createStreams({ clock, schedule }: StreamParts): StreamBook {
  const entries = new Map<string, Entry>()

  function entryOf(key: string): Entry {
    const entry = entries.get(key) ?? { open: new Set(), ended: 0, wentBackAt: Number.NEGATIVE_INFINITY }
    entries.set(key, entry)
    return entry
  }

  /** One after another, evenly; each when its time has come, unless its client belongs to it again. */
  function spread(leaving: readonly Held[], entry: Entry, { closeStreamsMs }: RolloutDeclaration): void {
    const farewellMs = Math.min(mostFarewellMs, closeStreamsMs / 2)
    const gapMs = (closeStreamsMs - farewellMs) / leaving.length
    const startedAt = clock.now()
    let next = 0
    const step = () => {
      const sinceMs = clock.now() - startedAt
      for (; next < leaving.length && next * gapMs <= sinceMs; next += 1) {
        const held = leaving[next]
        if (!held || !entry.open.has(held) || !held.stream.isAbandoned()) continue
        entry.ended += 1
        held.leave()
        schedule(() => entry.open.has(held) && held.cut(), farewellMs)
      }
      if (next < leaving.length) schedule(step, Math.min(next * gapMs - sinceMs, mostWaitMs))
    }
    step()
  }

  return {
    hold(stream) {
      const endable = endableOf(stream.answer, clock)
      if (!endable) return stream.answer
      const { rollout, receivedAt } = stream
      const entry = entryOf(rollout.key)
      const held = { ...endable, stream }
      entry.open.add(held)
      stream.answer.onEnd(() => entry.open.delete(held))
      if (receivedAt <= entry.wentBackAt && stream.isAbandoned()) spread([held], entry, rollout)
      return endable.answer
    },
    turned({ rollout, from, to }) {
      // With the glass broken even testers are sent back, who are on the new side at any standing.
      if (compareStandings(to, from) >= 0 && to.why !== 'breakGlass') return
      const entry = entryOf(rollout.key)
      entry.wentBackAt = clock.now()
      spread(
        [...entry.open].filter(({ stream }) => stream.isAbandoned()),
        entry,
        rollout,
      )
    },
    count(key) {
      const entry = entries.get(key)
      return { open: entry?.open.size ?? 0, ended: entry?.ended ?? 0 }
    },
  }
}
