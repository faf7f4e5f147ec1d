// How much may be asked beside the clients' own requests: so many at a time, so many per second, one at a time per client, and
// never more than a quarter of an upstream's connections.
// The danger it guards against: a candidate that hangs or floods, and takes with it the memory and connections that clients need.
import type { Upstream } from '../model.ts'

/** Why a leg was not made. */
export type NoRoom = 'rate' | 'full'

export interface LegRoom {
  /** Why there is none now; counts against the rate of its kind, of which each has its own. */
  lack(kind: string, perSecond: number, upstream: Upstream): NoRoom | undefined
  /** Takes a place. @returns what gives it back, once; undefined when there is none */
  enter(upstream: Upstream): (() => void) | undefined
  /** Calls when whoever came before on behalf of the same client has ended. @param client undefined: it is nobody's turn but its own */
  inTurn(client: string | undefined, work: () => Promise<void>): void
  /** Once nothing is under way. */
  idle(): Promise<void>
}

/** Two bodies of 256 KiB each are some 32 MiB in all. */
const mostAtATime = 64

/** @param shareOf the part of what the whole fleet may have that is this gateway's own */
export function createLegRoom(now: () => number, shareOf: (ofFleet: number) => number): LegRoom {
  const buckets = new Map<string, { tokens: number; at: number }>()
  const turns = new Map<string, Promise<void>>()
  const underWay = new Set<Promise<void>>()
  const takenOf = new Map<string, number>()
  let taken = 0

  /** A token bucket of one second's worth, at least one. */
  function hasToken(kind: string, perSecond: number): boolean {
    const most = Math.max(1, perSecond)
    const at = now()
    const bucket = buckets.get(kind) ?? { tokens: most, at }
    bucket.tokens = Math.min(most, bucket.tokens + ((at - bucket.at) / 1000) * perSecond)
    bucket.at = at
    buckets.set(kind, bucket)
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  function isFull({ target, maxConnections }: Upstream): boolean {
    const most = shareOf(maxConnections)
    // Of a single connection none: whoever has it keeps a client waiting.
    const share = most < 2 ? 0 : Math.max(1, Math.floor(most / 4))
    return taken >= mostAtATime || (takenOf.get(target.origin) ?? 0) >= share
  }

  function count({ target: { origin } }: Upstream, by: 1 | -1): void {
    taken += by
    const here = (takenOf.get(origin) ?? 0) + by
    if (here === 0) takenOf.delete(origin)
    else takenOf.set(origin, here)
  }

  return {
    lack(kind, perSecond, upstream) {
      if (isFull(upstream)) return 'full'
      return hasToken(kind, perSecond) ? undefined : 'rate'
    },
    enter(upstream) {
      if (isFull(upstream)) return undefined
      let isIn = true
      count(upstream, 1)
      return () => {
        if (isIn) count(upstream, -1)
        isIn = false
      }
    },
    inTurn(client, work) {
      const before = client === undefined ? undefined : turns.get(client)
      const turn: Promise<void> = (before ?? Promise.resolve()).then(work).finally(() => {
        underWay.delete(turn)
        if (client !== undefined && turns.get(client) === turn) turns.delete(client)
      })
      underWay.add(turn)
      if (client !== undefined) turns.set(client, turn)
    },
    async idle() {
      await Promise.all(underWay)
    },
  }
}
