// What limits said to whom, for Prometheus: by route, never by client.
// The danger it guards against: a limit that is tried out, and enforced without a look at whom it would have refused.
import { limitResults } from '../state/limits/counts.ts'
import type { LimitBook } from '../state/limits/limits.ts'
import { type ReadMetric, readMetric, single } from './readMetric.ts'

export function limitMetrics({ counts, size }: Pick<LimitBook, 'counts' | 'size'>): readonly ReadMetric[] {
  return [
    readMetric(
      'banyan_limit_requests_total',
      'Requests of routes with limits: allowed, refused, wouldRefuse (allowed, by a limit that is tried out), unknown (refused, without a store).',
      () =>
        [...counts()].flatMap(([route, count]) =>
          limitResults.map((result) => ({ labels: { route, result }, value: count[result] })),
        ),
    ),
    readMetric('banyan_limit_without_store_total', 'Those of them of which the store was not to be asked.', () =>
      [...counts()].map(([route, { withoutStore }]) => ({ labels: { route }, value: withoutStore })),
    ),
    readMetric('banyan_limit_keys', 'Budgets that this gateway remembers itself.', single(size)),
  ]
}
