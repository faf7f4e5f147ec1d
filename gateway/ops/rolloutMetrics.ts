// Where each rollout stands, as gauges for Prometheus.
// The danger it guards against: a rollback that no alert can see, because only the file's stage is a number.
import { rankOf, wholeShare } from '../rollout/standing.ts'
import type { RolloutBook, RolloutState } from '../state/rolloutBook.ts'

/** What a Registry asks of a metric. */
export interface ReadMetric {
  readonly name: string
  get(): Promise<object>
}

export function rolloutMetrics(rollouts: Pick<RolloutBook, 'states'>): readonly ReadMetric[] {
  const gauge = (name: string, help: string, value: (state: RolloutState) => number): ReadMetric => ({
    name,
    get: async () => ({
      name,
      help,
      type: 'gauge',
      aggregator: 'sum',
      values: rollouts.states().map((state) => ({ labels: { rollout: state.rollout.key }, value: value(state) })),
    }),
  })
  return [
    gauge(
      'banyan_rollout_stage',
      'The stage that requests meet: 0 legacy, 1 shadow, 2 canary, 3 live, 4 final.',
      ({ effective }) => rankOf(effective.stage),
    ),
    gauge(
      'banyan_rollout_share_ratio',
      'The share of clients that the new side answers, 0 to 1.',
      ({ effective }) => effective.shareBasisPoints / wholeShare,
    ),
    gauge(
      'banyan_rollout_overridden',
      '1 while something else than the file decides where it stands.',
      ({ effective }) => (effective.why === 'file' ? 0 : 1),
    ),
  ]
}
