// What is not answered from stock is asked for once for all who want the same.
// The danger it guards against: ten thousand clients who wait for an answer that only one of them may have.
import { lifetimeMs } from '../../caching/freshness.ts'
import { mayBeGiven, type Stored } from '../../caching/stored.ts'
import { variantOf } from '../../caching/vary.ts'
import type { Answer } from '../../model.ts'
import { behind, finish, isFailing } from './asking.ts'
import type { Fetcher } from './fetch.ts'
import type { Fetching, FetchParts } from './filling.ts'
import type { Flights, Land, Landing } from './flights.ts'
import { answerFrom, apartKey, type Found, foundFor, type Inquiry, tagsOf, telling } from './inquiry.ts'
import { Rests } from './rests.ts'

/** A request that is not answered from stock. */
export type Wanted = Omit<Fetching, 'land'> & {
  /** The names by which answers under its key vary, as far as one knows. */
  readonly names: readonly string[]
}

export interface ObtainParts extends Pick<FetchParts, 'clock' | 'count'> {
  readonly fetcher: Fetcher
  readonly flights: Flights
}

export class Obtainer {
  readonly #parts: ObtainParts
  readonly #rests: Rests

  constructor(parts: ObtainParts) {
    this.#parts = parts
    this.#rests = new Rests(parts.clock.now)
  }

  /** The client's own, untouched: the cache looks away. */
  async pass(inquiry: Inquiry): Promise<Answer> {
    this.#parts.count(inquiry, 'passed')
    return telling(await inquiry.next(inquiry.exchange), { fwd: 'bypass' }, inquiry)
  }

  /** The client has his answer already. */
  askBehind(inquiry: Inquiry, found: Found): void {
    const { flights, fetcher, clock } = this.#parts
    const key = flightKey({ inquiry, names: found.stored.vary })
    if (flights.of(key) || this.#rests.has(key)) return
    const tell = flights.start(key, tagsOf(inquiry))
    let isWell = true
    const land: Land = (landing) => {
      isWell &&= landing.how !== 'erred' && landing.how !== 'failed'
      tell(landing)
    }
    void fetcher.fetch({ inquiry: behind(inquiry), found, told: { fwd: 'stale' }, land }).then(
      (answer) => {
        this.#rests.ended(key, isWell && !isFailing(answer))
        finish(answer, clock.now)
      },
      () => this.#rests.ended(key, false),
    )
  }

  async obtain(wanted: Wanted, mayWaitAgain = true): Promise<Answer> {
    const { fetcher, flights } = this.#parts
    const { inquiry, found } = wanted
    if (isForOneAlone(inquiry, found)) return fetcher.fetch({ ...wanted, land: nobodyWaits })
    const key = flightKey(wanted)
    const landed = flights.of(key)
    if (!landed) return fetcher.fetch({ ...wanted, land: flights.start(key, tagsOf(inquiry)) })
    return this.#take(wanted, await landed, mayWaitAgain)
  }

  /** What somebody else has asked for has come. */
  #take(wanted: Wanted, landing: Landing, mayWaitAgain: boolean): Answer | Promise<Answer> {
    const { fetcher } = this.#parts
    const { inquiry, found } = wanted
    switch (landing.how) {
      case 'stored':
        return this.#share(wanted, landing.stored, mayWaitAgain)
      case 'failed':
        return fetcher.insteadOf(landing.failure, wanted)
      case 'erred':
        return found?.isForErrors ? fetcher.stale(inquiry, found) : this.pass(inquiry)
      case 'alone':
        return this.pass(inquiry)
    }
  }

  #share(wanted: Wanted, stored: Stored, mayWaitAgain: boolean): Answer | Promise<Answer> {
    const { clock, fetcher, count } = this.#parts
    const { inquiry, told } = wanted
    const { exchange, audience } = inquiry
    if (!mayBeGiven(stored, exchange.fields, audience.isKnown)) {
      // Those who want the same of what it varies by wait for one of them.
      return mayWaitAgain ? this.obtain({ ...wanted, names: stored.vary }, false) : this.pass(inquiry)
    }
    const found = foundFor(inquiry, stored, clock.wall())
    if (found.use === 'validate') return fetcher.fetch({ ...wanted, found, land: nobodyWaits })
    count(inquiry, 'collapsed')
    return answerFrom(stored, { ...told, isCollapsed: true }, inquiry, clock)
  }
}

const nobodyWaits: Land = () => {}

function flightKey({ inquiry, names }: Pick<Wanted, 'inquiry' | 'names'>): string {
  return `${apartKey(inquiry)}\n${variantOf(names, inquiry.exchange.fields)}`
}

/** Whoever reloads wants what is asked for after he came; and what is stale at once can be shared by nobody. */
function isForOneAlone({ wishes, rules }: Inquiry, found: Found | undefined): boolean {
  if (wishes.noCache || wishes.maxAgeMs === 0) return true
  return found !== undefined && lifetimeMs(found.stored, rules) <= 0
}
