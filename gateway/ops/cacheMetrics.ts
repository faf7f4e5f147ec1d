// What the cache spares the upstreams, what it holds, and how its tiers do, for Prometheus.
// The danger it guards against: a cache that nobody hits, and nobody notices.
import type { CacheBook } from '../state/caches.ts'
import { cacheResults, purgers } from '../state/caching/counts.ts'
import { looks, puts } from '../state/caching/tierCounts.ts'
import { type ReadMetric, readMetric, type Sample, single } from './readMetric.ts'

export function cacheMetrics(caches: Pick<CacheBook, 'counts' | 'purges' | 'near' | 'far'>): readonly ReadMetric[] {
  const help =
    'Requests of cached routes: hit, stale, revalidated, collapsed (with the answer to another), miss, passed.'
  return [
    readMetric('banyan_cache_requests_total', help, () =>
      [...caches.counts()].flatMap(([route, counts]) =>
        cacheResults.map((result) => ({ labels: { route, result }, value: counts[result] })),
      ),
    ),
    readMetric(
      'banyan_cache_keys',
      'Keys that have answers in stock.',
      single(() => caches.near().keys),
    ),
    readMetric(
      'banyan_cache_bytes',
      'What answers in stock take.',
      single(() => caches.near().bytes),
    ),
    readMetric(
      'banyan_cache_purges_total',
      'Purges: by an operator (order), by a write at this gateway (write), as heard of from all replicas (log).',
      () => purgers.map((by) => ({ labels: { by }, value: caches.purges()[by] })),
    ),
    lookMetric(caches),
    ...farMetrics(caches),
  ]
}

const one = (value: number): Sample[] => [{ labels: {}, value }]

function lookMetric(caches: Pick<CacheBook, 'near' | 'far'>): ReadMetric {
  const help =
    'Looks into each tier of the stock: hit, miss; of redis also late (no answer in 100 ms), away (not asked), failed.'
  return readMetric('banyan_cache_looks_total', help, () => {
    const { hit, miss } = caches.near()
    const far = caches.far()?.looks
    return [
      { labels: { tier: 'memory', result: 'hit' }, value: hit },
      { labels: { tier: 'memory', result: 'miss' }, value: miss },
      ...looks.flatMap((result) => (far ? [{ labels: { tier: 'redis', result }, value: far[result] }] : [])),
    ]
  })
}

/** Nothing while there is no second tier. */
function farMetrics({ far }: Pick<CacheBook, 'far'>): readonly ReadMetric[] {
  type Far = NonNullable<ReturnType<typeof far>>
  const ofFar = (name: string, help: string, values: (found: Far) => Sample[]) =>
    readMetric(name, help, () => {
      const found = far()
      return found ? values(found) : []
    })
  return [
    ofFar('banyan_cache_store_up', '1 while the store that replicas share answers in is to be had.', (found) =>
      one(found.store.is === 'up' ? 1 : 0),
    ),
    ofFar(
      'banyan_cache_store_wait_seconds_total',
      'What requests have waited for that store, all together.',
      ({ waitedMs }) => one(waitedMs / 1000),
    ),
    ofFar(
      'banyan_cache_store_puts_total',
      'Answers on their way into that store: stored, void (a purge was quicker), failed.',
      (found) => puts.map((result) => ({ labels: { result }, value: found.puts[result] })),
    ),
    ofFar('banyan_cache_purges_owed', 'Tags of purges that other replicas have not heard of yet.', ({ owed }) =>
      one(owed),
    ),
  ]
}
