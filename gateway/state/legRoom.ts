// How much may be asked beside the clients' own requests: so many at a time, so many per second, one at a time per client.
// The danger it guards against: a candidate that hangs or floods, and takes with it the memory that clients need.

/** Why a leg was not made. */
export type NoRoom = 'rate' | 'full'

export interface LegRoom {
  /** Why there is none now; counts against the rate of its kind, of which each has its own. */
  lack(kind: string, perSecond: number): NoRoom | undefined
  /** Takes a place. @returns false when there is none */
  enter(): boolean
  /** Gives it back. */
  leave(): void
  /** Calls when whoever came before on behalf of the same client has ended. */
  inTurn(client: string, work: () => Promise<void>): void
}

/** Two bodies of 256 KiB each are some 32 MiB in all. */
const mostAtATime = 64

export function createLegRoom(now: () => number): LegRoom {
  const buckets = new Map<string, { tokens: number; at: number }>()
  const turns = new Map<string, Promise<void>>()
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

  return {
    lack(kind, perSecond) {
      if (taken >= mostAtATime) return 'full'
      return hasToken(kind, perSecond) ? undefined : 'rate'
    },
    enter() {
      if (taken >= mostAtATime) return false
      taken += 1
      return true
    },
    leave() {
      taken -= 1
    },
    inTurn(client, work) {
      const before = turns.get(client) ?? Promise.resolve()
      const turn = before.then(work).finally(() => {
        if (turns.get(client) === turn) turns.delete(client)
      })
      turns.set(client, turn)
    },
  }
}
