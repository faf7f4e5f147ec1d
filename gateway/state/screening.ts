// Which addresses have sent so many wrong credentials of late that nothing more of theirs is checked which costs something.
// The dangers it guards against: a flood of bad tokens that keeps the gateway busy, a memory that grows with those who send them,
// and an address of many (a NAT) that one bad client closes to all: what is known to be good is let through all the same.
import { networkOf } from '../message/addresses.ts'
import type { AuthMode, Clock } from '../model.ts'

export interface Screening {
  /** How long nothing is checked; 0: it is. */
  waitMs(address: string, mode: AuthMode): number
  failed(address: string, mode: AuthMode): void
  /** How many addresses have failed of late. */
  readonly size: number
}

/** So many at once, and then one in each span. */
const mostFailures = 50
const spanMs = 2_000
const roomMs = mostFailures * spanMs

/** @param mostAddresses beyond which the one that has not failed for the longest time is forgotten */
export function createScreening({ now }: Pick<Clock, 'now'>, mostAddresses = 100_000): Screening {
  /** When all that failed will have been forgiven, in monotonic milliseconds; the one that failed last is the last. */
  const forgivenAt = new Map<string, number>()
  // What only would have been refused on one route refuses nobody on another.
  const keyOf = (address: string, mode: AuthMode) => `${mode} ${networkOf(address)}`

  function forgetOldest(nowMs: number): void {
    for (const [who, atMs] of forgivenAt) {
      if (atMs > nowMs && forgivenAt.size <= mostAddresses) return
      forgivenAt.delete(who)
    }
  }

  return {
    waitMs(address, mode) {
      if (forgivenAt.size === 0) return 0
      const atMs = forgivenAt.get(keyOf(address, mode)) ?? 0
      return Math.max(0, atMs - roomMs - now())
    },
    failed(address, mode) {
      const who = keyOf(address, mode)
      const nowMs = now()
      // One failure more than there is room for is all that is owed, however many came while it was checked.
      const owedMs = Math.min(Math.max(0, (forgivenAt.get(who) ?? 0) - nowMs) + spanMs, roomMs + spanMs)
      forgivenAt.delete(who)
      forgivenAt.set(who, nowMs + owedMs)
      forgetOldest(nowMs)
    },
    get size() {
      return forgivenAt.size
    },
  }
}
