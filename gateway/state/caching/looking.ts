// What lies in stock for a request: near first, farther away second, and not there where it would be in vain.
// The danger it guards against: a request that waits for another tier although nothing for it could come from there.
import { pick, type Stored, type StoredHead } from '../../caching/stored.ts'
import type { Clock } from '../../model.ts'
import type { NearCounts } from './counts.ts'
import type { Apart } from './flights.ts'
import { apartKey, type Found, foundFor, type Inquiry } from './inquiry.ts'
import type { Stock } from './stock.ts'

/** What lies there for a request. */
export interface Seen {
  readonly found: Found | undefined
  /** Under its key, also for others. */
  readonly lying: readonly StoredHead[]
}

export interface LookingParts {
  readonly clock: Clock
  readonly stock: Stock
  readonly apart: Apart
  countNear(result: keyof NearCounts): void
}

export function createLooking({ clock, stock, apart, countNear }: LookingParts): (inquiry: Inquiry) => Promise<Seen> {
  function lookNear(inquiry: Inquiry, lying: readonly Stored[]): Seen {
    const stored = pick(lying, inquiry.exchange.fields, inquiry.audience.isKnown)
    return { found: stored && foundFor(inquiry, stored, clock.wall()), lying }
  }

  /** Another replica may have it, or a newer one. */
  async function lookFurther(inquiry: Inquiry, near: Seen): Promise<Seen> {
    const { exchange, audience, place } = inquiry
    const newerThanMs = near.found?.stored.receivedAtMs ?? Number.NEGATIVE_INFINITY
    const { stored, heads } = await stock.lookFurther(place.key, (all) => {
      const newer = all.filter(({ receivedAtMs }) => receivedAtMs > newerThanMs)
      return pick(newer, exchange.fields, audience.isKnown)
    })
    // While it was waited for, somebody's answer may have come, for whom nobody waits any more.
    const now = lookNear(inquiry, await stock.get(place.key))
    const lying = heads.length > 0 ? [...now.lying, ...heads] : now.lying
    return { found: stored ? foundFor(inquiry, stored, clock.wall()) : now.found, lying }
  }

  /** Who reloads wants what is asked for after he came; and of what was for one alone there is nothing elsewhere either. */
  function isInVain(inquiry: Inquiry, { found }: Seen): boolean {
    const { noCache, maxAgeMs } = inquiry.wishes
    return noCache || maxAgeMs === 0 || (!found && apart.has(apartKey(inquiry)))
  }

  return async (inquiry) => {
    const near = lookNear(inquiry, await stock.get(inquiry.place.key))
    const isEnough = near.found !== undefined && near.found.use !== 'validate'
    countNear(isEnough ? 'hit' : 'miss')
    return isEnough || isInVain(inquiry, near) ? near : lookFurther(inquiry, near)
  }
}
