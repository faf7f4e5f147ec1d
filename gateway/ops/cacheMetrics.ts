// What the cache spares the upstreams, and what it holds, for Prometheus.
// The danger it guards against: a cache that nobody hits, and nobody notices.
import type { CacheBook } from '../state/caches.ts'
import { cacheResults } from '../state/caching/counts.ts'
import type { ReadMetric } from './rolloutMetrics.ts'

export function cacheMetrics(caches: Pick<CacheBook, 'counts' | 'figures'>): readonly ReadMetric[] {
  const metric = (about: { name: string; help: string; type: string }, values: () => Sample[]) => ({
    name: about.name,
    get: async () => ({ ...about, aggregator: 'sum', values: values() }),
  })
  return [
    metric(
      {
        name: 'banyan_cache_requests_total',
        help: 'Requests of cached routes: hit, stale, revalidated, collapsed (with the answer to another), miss, passed.',
        type: 'counter',
      },
      () =>
        [...caches.counts()].flatMap(([route, counts]) =>
          cacheResults.map((result) => ({ labels: { route, result }, value: counts[result] })),
        ),
    ),
    metric({ name: 'banyan_cache_keys', help: 'Keys that have answers in stock.', type: 'gauge' }, () => [
      { labels: {}, value: caches.figures().keys },
    ]),
    metric({ name: 'banyan_cache_bytes', help: 'What answers in stock take.', type: 'gauge' }, () => [
      { labels: {}, value: caches.figures().bytes },
    ]),
  ]
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}
