// What keeps answers, and tells who else keeps them what is void: the stock of this process, and the store that replicas share.
// The danger it guards against: a store that is away, and nobody hears of it while writes at one replica leave old pages at another.
import type { Clock } from './model.ts'
import { cacheMetrics } from './ops/cacheMetrics.ts'
import type { Log } from './ops/log.ts'
import type { ReadMetric } from './ops/readMetric.ts'
import { createMemoryStock } from './state/cacheStock.ts'
import { type CacheStore, createCacheStore } from './state/cacheStore.ts'
import { type CacheBook, createCaches } from './state/caches.ts'
import type { StoreState } from './state/store.ts'
import { realSchedule } from './state/streams.ts'

export interface Stocking {
  readonly caches: CacheBook
  readonly metrics: readonly ReadMetric[]
  /** Once, when the file says where the store is. */
  open(url: string): Promise<void>
  /** That the store is down, as a sentence. */
  hints(): readonly string[]
  close(): void
}

/** Of answers in stock, and of one of them. */
const stockBytes = 64 * 1024 * 1024
const mostObjectBytes = 1024 * 1024
const retryEveryMs = 1_000

/** @param inPassingMs the longest that a request waits for the store that replicas share */
export function assembleStocking(clock: Clock, { life }: Pick<Log, 'life'>, inPassingMs?: number): Stocking {
  const caches = createCaches({ clock, stock: createMemoryStock(stockBytes), mostObjectBytes, schedule: realSchedule })
  let store: CacheStore | undefined
  let retrying: NodeJS.Timeout | undefined
  const onFailure = (thrown: unknown) =>
    life.error({ reason: String(thrown) }, 'what other replicas made void was not taken over')
  return {
    caches,
    metrics: cacheMetrics(caches),
    async open(url) {
      if (retrying) return
      retrying = setInterval(caches.retry, retryEveryMs).unref()
      store = await createCacheStore(url, {
        ...{ clock, random: Math.random, onFailure },
        ...(inPassingMs !== undefined && { inPassingMs }),
      })
      if (!store) return
      caches.share(store)
      tellState(store.state(), life)
      store.onState((state) => tellState(state, life))
    },
    hints: () => hintsOf(caches),
    close() {
      clearInterval(retrying)
      store?.close()
    },
  }
}

function tellState({ is, why }: StoreState, life: Log['life']): void {
  if (is === 'up')
    life.info({ cacheStore: is }, 'the cache store is up: answers in stock are shared with other replicas')
  else life.warn({ cacheStore: is, reason: why }, 'the cache store is down: this replica answers from its own stock')
}

function hintsOf(caches: CacheBook): readonly string[] {
  const far = caches.far()
  if (far?.store.is !== 'down') return []
  const since = `${new Date(far.store.since).toISOString()} (${far.store.why})`
  return [
    `the cache store is down since ${since}: each replica answers from its own stock, and the others hear of ${far.owed} purges when it is back`,
  ]
}
