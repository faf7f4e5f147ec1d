// All targets of all Upstreams, with what is remembered of each while the file changes around it.
// The danger it guards against: a reload that forgets what is under way, so that a busy target looks idle.
import type { Clock, Snapshot, Target, Upstream } from '../../model.ts'
import { Member, type Seat } from './member.ts'
import type { TargetHealth } from './port.ts'

export interface Members {
  of(upstream: Upstream): readonly Member[]
  /** With the Snapshot that is served from now on: a target that joins others begins slowly, and one that has gone is forgotten. */
  follow(snapshot: Pick<Snapshot, 'upstreams'>): void
}

export function createMembers(now: Clock['now'], health: TargetHealth): Members {
  const made = new WeakMap<Upstream, readonly Member[]>()
  const seats = new Map<string, Seat>()
  let known: Snapshot['upstreams'] = new Map()

  function seatOf(key: string): Seat {
    const seat = seats.get(key) ?? { active: 0, unreached: 0, joinedAt: undefined }
    seats.set(key, seat)
    return seat
  }

  function make(upstream: Upstream): readonly Member[] {
    const members = upstream.targets.map(
      (target) => new Member({ upstream, target, seat: seatOf(keyOf(upstream, target)), health, now }),
    )
    made.set(upstream, members)
    return members
  }

  /** Those of a new Upstream are all as cold, and none of them could be given less than the others. */
  function hasJoined(name: string, { origin }: Target): boolean {
    return known.get(name)?.targets.every((target) => target.origin !== origin) ?? false
  }

  return {
    of: (upstream) => made.get(upstream) ?? make(upstream),
    follow({ upstreams }) {
      const all = [...upstreams.values()].flatMap((upstream) =>
        upstream.targets.map((target) => ({ upstream, target })),
      )
      const wanted = new Set(all.map(({ upstream, target }) => keyOf(upstream, target)))
      for (const key of seats.keys()) if (!wanted.has(key)) seats.delete(key)
      for (const { upstream, target } of all)
        if (hasJoined(upstream.name, target)) seatOf(keyOf(upstream, target)).joinedAt = now()
      known = upstreams
    },
  }
}

function keyOf({ name }: Upstream, { origin }: Target): string {
  return `${name} ${origin}`
}
