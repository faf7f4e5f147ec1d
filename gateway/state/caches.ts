// The cache as its filter sees it: from stock, or asked for once for all who wait.
// The dangers it guards against: an upstream that is asked as often as there are clients, and a client who is given what is not his.
import type { Told } from '../caching/cacheStatus.ts'
import { urisMadeVoid } from '../caching/place.ts'
import { pick, type Stored } from '../caching/stored.ts'
import { Failure } from '../errors.ts'
import type { Caches } from '../model/ports.ts'
import type { Answer, Clock } from '../model.ts'
import type { MemoryStock, StockFigures } from './cacheStock.ts'
import { type CacheCounts, createCacheCounts } from './caching/counts.ts'
import { Fetcher } from './caching/fetch.ts'
import { Apart, Flights } from './caching/flights.ts'
import { answerFrom, apartKey, type Found, foundFor, type Inquiry, inquiryOf, uriTag } from './caching/inquiry.ts'
import { Obtainer } from './caching/obtain.ts'

export interface CacheBook extends Caches {
  /** Requests by Route. */
  counts(): CacheCounts
  figures(): StockFigures
}

export interface CachesParts {
  readonly clock: Clock
  readonly stock: MemoryStock
  /** Of one body. */
  readonly mostObjectBytes: number
  /** Calls once, so many milliseconds later. */
  schedule(run: () => void, afterMs: number): void
}

export function createCaches({ clock, stock, mostObjectBytes, schedule }: CachesParts): CacheBook {
  const flights = new Flights()
  const apart = new Apart(clock.now)
  const { count, counts } = createCacheCounts()
  const fetcher = new Fetcher({ clock, stock, apart, mostObjectBytes, schedule, count })
  const obtainer = new Obtainer({ clock, count, fetcher, flights })

  async function answerTo(inquiry: Inquiry): Promise<Answer> {
    const { exchange, audience, place, wishes } = inquiry
    const lying = await stock.get(place.key)
    const stored = pick(lying, exchange.fields, audience.isKnown)
    const found = stored && foundFor(inquiry, stored, clock.wall())
    if (found && found.use !== 'validate') return give(inquiry, found)
    if (wishes.onlyIfCached) throw new Failure('notStored', 'the client wants nothing but what is stored')
    if (goesAlone(inquiry, found) || (!found && apart.has(apartKey(inquiry)))) return obtainer.pass(inquiry)
    const told = { fwd: fwdOf(inquiry, found, lying) }
    return obtainer.obtain({ inquiry, found, told, names: (stored ?? lying[0])?.vary ?? [] })
  }

  function give(inquiry: Inquiry, found: Found): Answer {
    if (found.use === 'behind') obtainer.askBehind(inquiry, found)
    count(inquiry, found.use === 'fresh' ? 'hit' : 'stale')
    return answerFrom(found.stored, { hit: true, ttlMs: found.ttlMs }, inquiry, clock)
  }

  return {
    async answer(exchange, next, rules) {
      const inquiry = inquiryOf(exchange, next, rules)
      return inquiry ? answerTo(inquiry) : next(exchange)
    },
    async invalidate(exchange, answered) {
      const uris = urisMadeVoid(exchange, answered)
      flights.leave(uris)
      await stock.purge(uris.map(uriTag))
    },
    counts,
    figures: stock.figures,
  }
}

/** A part is not asked for as a whole, which may be a thousand times as long; and of a HEAD nothing is stored. */
function goesAlone({ exchange: { method, fields }, wishes }: Inquiry, found: Found | undefined): boolean {
  return wishes.noStore || (!found && (method === 'HEAD' || fields.has('range')))
}

type Fwd = Exclude<Told, { hit: true }>['fwd']

function fwdOf({ wishes }: Inquiry, found: Found | undefined, lying: readonly Stored[]): Fwd {
  if (found) return found.ttlMs > 0 || wishes.noCache ? 'request' : 'stale'
  return lying.length > 0 ? 'vary-miss' : 'uri-miss'
}
