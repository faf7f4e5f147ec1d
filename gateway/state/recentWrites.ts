// Which Upstream took the last write of whom, for the few seconds in which his reads should go there too.
// Of this process; sharing/writes.ts adds what the other replicas know.
// The danger it guards against: a memory that grows with the clients, or that keeps their sessions for others to read.
import { createHash } from 'node:crypto'
import type { Writer, Writes } from '../model/ports.ts'
import type { Clock } from '../model.ts'

interface Taken {
  readonly upstream: string
  /** Monotonic milliseconds. */
  readonly untilMs: number
}

/** @param mostIdentities beyond which the one that has not written for the longest time is forgotten */
export function createRecentWrites({ now }: Pick<Clock, 'now'>, mostIdentities = 100_000): Writes {
  /** The one that wrote last is the last. */
  const taken = new Map<string, Taken>()

  function forgetOldest(nowMs: number): void {
    for (const [who, { untilMs }] of taken) {
      if (untilMs > nowMs && taken.size <= mostIdentities) return
      taken.delete(who)
    }
  }

  return {
    took(writer, upstream) {
      const { readYourWrites } = writer.rollout
      if (!readYourWrites) return undefined
      const nowMs = now()
      const who = digestOf(writer)
      taken.delete(who)
      taken.set(who, { upstream, untilMs: nowMs + readYourWrites.forMs })
      forgetOldest(nowMs)
      return undefined
    },
    takenBy(writer) {
      const last = taken.size === 0 ? undefined : taken.get(digestOf(writer))
      return last && last.untilMs > now() ? last.upstream : undefined
    },
    lookUp: () => undefined,
  }
}

/** Short whatever the client sends, and no session that could be used. */
export function digestOf({ rollout, identity }: Writer): string {
  return createHash('sha256').update(rollout.key).update('\0').update(identity, 'latin1').digest('base64')
}
