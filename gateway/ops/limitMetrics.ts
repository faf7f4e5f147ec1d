// What limits said to whom, for Prometheus: by route, never by client.
// The danger it guards against: a limit that is tried out, and enforced without a look at whom it would have refused.
import { limitResults } from '../state/limits/counts.ts'
import type { LimitBook } from '../state/limits/limits.ts'
import type { ReadMetric } from './rolloutMetrics.ts'

interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export function limitMetrics({ counts, size }: Pick<LimitBook, 'counts' | 'size'>): readonly ReadMetric[] {
  const metric = (about: { name: string; help: string; type: string }, values: () => Sample[]) => ({
    name: about.name,
    get: async () => ({ ...about, aggregator: 'sum', values: values() }),
  })
  return [
    metric(
      {
        name: 'banyan_limit_requests_total',
        help: 'Requests of routes with limits: allowed, refused, wouldRefuse (allowed, by a limit that is tried out), unknown (refused, without a store).',
        type: 'counter',
      },
      () =>
        [...counts()].flatMap(([route, count]) =>
          limitResults.map((result) => ({ labels: { route, result }, value: count[result] })),
        ),
    ),
    metric(
      {
        name: 'banyan_limit_without_store_total',
        help: 'Those of them of which the store was not to be asked.',
        type: 'counter',
      },
      () => [...counts()].map(([route, { withoutStore }]) => ({ labels: { route }, value: withoutStore })),
    ),
    metric({ name: 'banyan_limit_keys', help: 'Budgets that this gateway remembers itself.', type: 'gauge' }, () => [
      { labels: {}, value: size() },
    ]),
  ]
}
