// Who serves beside us, and whether they have taken over what was decided here.
// The danger it guards against: an order that is told as done while a replica still does the opposite.
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../model.ts'
import type { Store } from '../store/port.ts'

/** What a replica says of itself. */
export interface Announced {
  /** Of the overrides that it has taken over. */
  readonly applied: number
  /** Of the file that it serves. */
  readonly hash: string
}

export interface Replicas {
  /** Says what we have taken over; never rejects. */
  announce(announced: Announced): Promise<void>
  /** Each that is alive, ourselves too. */
  all(): Promise<ReadonlyMap<string, Announced>>
  /** Who has not taken over that revision when the time is over: their ids, and how many nobody knows. */
  missing(revision: number, withinMs: number): Promise<readonly string[]>
  /** The others need not wait for us any more. */
  leave(): Promise<void>
}

interface Parts {
  readonly store: Store
  readonly id: string
  /** How many there should be. */
  readonly expected: number
  readonly clock: Clock
}

/** A replica that says nothing for so long is gone. */
const aliveMs = 10_000
const lookEveryMs = 50

export function createReplicas({ store, id, expected, clock }: Parts): Replicas {
  const all = async () => (await store.replicas()) as ReadonlyMap<string, Announced>

  async function missing(revision: number, withinMs: number): Promise<readonly string[]> {
    const until = clock.now() + withinMs
    // One that vanishes meanwhile has not confirmed: it may only stand still.
    let known = await all()
    const asked = [...known.keys()].filter((replica) => replica !== id)
    const confirmed = new Set<string>()
    for (;;) {
      for (const replica of asked) if ((known.get(replica)?.applied ?? -1) >= revision) confirmed.add(replica)
      if (confirmed.size === asked.length || clock.now() >= until) break
      await pause(lookEveryMs, undefined, { ref: false })
      known = await all()
    }
    return [...asked.filter((replica) => !confirmed.has(replica)), ...unheard(expected - asked.length - 1, expected)]
  }

  return {
    announce: (announced) => store.announce(announced, aliveMs).catch(() => {}),
    all,
    missing,
    leave: () => store.announce({ applied: 0, hash: '' }, 0).catch(() => {}),
  }
}

function unheard(count: number, expected: number): readonly string[] {
  return count > 0 ? [`${count} of ${expected} replicas, of which the store has not heard`] : []
}
