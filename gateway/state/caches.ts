// The cache as its filter sees it: from stock, or asked for once for all who wait.
// The dangers it guards against: an upstream that is asked as often as there are clients, and a client who is given what is not his.
import type { Told } from '../caching/cacheStatus.ts'
import { urisMadeVoid } from '../caching/place.ts'
import type { StoredHead } from '../caching/stored.ts'
import { namedTag, pathTag, routeTag, type Tag, uriTag } from '../caching/tags.ts'
import { Failure } from '../errors.ts'
import type { Caches } from '../model/ports.ts'
import type { Answer, Clock } from '../model.ts'
import type { MemoryStock, StockFigures } from './cacheStock.ts'
import { type CacheCounts, createCacheCounts, type NearCounts, type Purger } from './caching/counts.ts'
import { Fetcher } from './caching/fetch.ts'
import { Apart, Flights } from './caching/flights.ts'
import { answerFrom, apartKey, type Found, type Inquiry, inquiryOf } from './caching/inquiry.ts'
import { createLooking } from './caching/looking.ts'
import { Obtainer } from './caching/obtain.ts'
import type { Purged } from './caching/stock.ts'
import { type FarView, Tiers } from './caching/tiers.ts'
import type { CacheStore } from './store/cachePort.ts'

export interface CacheBook extends Caches {
  /** From now on replicas share a second tier. */
  share(store: CacheStore): void
  /** An operator wants all of that asked for anew. */
  purge(what: Purge): Promise<Purged>
  /** Tries again to tell other replicas of what they have not heard; called each second. */
  retry(): void
  /** Requests by Route. */
  counts(): CacheCounts
  purges(): Readonly<Record<Purger, number>>
  near(): StockFigures & NearCounts
  /** Of the shared tier, while there is one. */
  far(): FarView | undefined
}

/** Of one Route; of one name that an origin or the file gives; of one path as Routes are matched against, of all hosts with any query. */
export type Purge =
  | { readonly kind: 'route'; readonly route: string }
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'path'; readonly path: string }

export interface CachesParts {
  readonly clock: Clock
  readonly stock: MemoryStock
  /** Of one body. */
  readonly mostObjectBytes: number
  /** Calls once, so many milliseconds later. */
  schedule(run: () => void, afterMs: number): void
}

export function createCaches({ clock, stock: near, mostObjectBytes, schedule }: CachesParts): CacheBook {
  const flights = new Flights()
  const apart = new Apart(clock.now)
  const stock = new Tiers(near, clock)
  const { count, countNear, countPurge, counts, nearCounts, purges } = createCacheCounts()
  const fetcher = new Fetcher({ clock, stock, apart, mostObjectBytes, schedule, count })
  const obtainer = new Obtainer({ clock, count, fetcher, flights })
  const lookFor = createLooking({ clock, stock, apart, countNear })
  stock.onPurged((tags) => {
    countPurge('log')
    flights.leave(tags)
  })

  async function answerTo(inquiry: Inquiry): Promise<Answer> {
    const { found, lying } = await lookFor(inquiry)
    if (found && found.use !== 'validate') return give(inquiry, found)
    if (inquiry.wishes.onlyIfCached) throw new Failure('notStored', 'the client wants nothing but what is stored')
    if (goesAlone(inquiry, found) || (!found && apart.has(apartKey(inquiry)))) return obtainer.pass(inquiry)
    const told = { fwd: fwdOf(inquiry, found, lying) }
    return obtainer.obtain({ inquiry, found, told, names: (found?.stored ?? lying[0])?.vary ?? [] })
  }

  function give(inquiry: Inquiry, found: Found): Answer {
    if (found.use === 'behind') obtainer.askBehind(inquiry, found)
    count(inquiry, found.use === 'fresh' ? 'hit' : 'stale')
    return answerFrom(found.stored, { hit: true, ttlMs: found.ttlMs }, inquiry, clock)
  }

  async function purge(tags: readonly Tag[], by: Purger): Promise<Purged> {
    countPurge(by)
    flights.leave(tags)
    return stock.purge(tags)
  }

  return {
    async answer(exchange, next, rules) {
      const inquiry = inquiryOf(exchange, next, rules)
      return inquiry ? answerTo(inquiry) : next(exchange)
    },
    async invalidate(exchange, answered) {
      const uris = urisMadeVoid(exchange, answered)
      if (uris.length > 0) await purge(uris.map(uriTag), 'write')
    },
    share: (store) => stock.open(store),
    purge: (what) => purge([tagOf(what)], 'order'),
    retry: () => stock.retry(),
    counts,
    purges,
    near: () => ({ ...stock.figures(), ...nearCounts() }),
    far: () => stock.far(),
  }
}

function tagOf(what: Purge): Tag {
  switch (what.kind) {
    case 'route':
      return routeTag(what.route)
    case 'tag':
      return namedTag(what.tag)
    case 'path':
      return pathTag(what.path)
  }
}

/** A part is not asked for as a whole, which may be a thousand times as long; and of a HEAD nothing is stored. */
function goesAlone({ exchange: { method, fields }, wishes }: Inquiry, found: Found | undefined): boolean {
  return wishes.noStore || (!found && (method === 'HEAD' || fields.has('range')))
}

type Fwd = Exclude<Told, { hit: true }>['fwd']

function fwdOf({ wishes }: Inquiry, found: Found | undefined, lying: readonly StoredHead[]): Fwd {
  if (found) return found.ttlMs > 0 || wishes.noCache ? 'request' : 'stale'
  return lying.length > 0 ? 'vary-miss' : 'uri-miss'
}
