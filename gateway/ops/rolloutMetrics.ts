// Where each rollout stands, and the streams that would be ended if it went back, for Prometheus.
// The danger it guards against: a rollback that no alert can see, because only the file's stage is a number.
import { rankOf, wholeShare } from '../rollout/standing.ts'
import type { RolloutBook, RolloutState } from '../state/rolloutBook.ts'
import type { StreamBook } from '../state/streams.ts'
import { type ReadMetric, readMetric } from './readMetric.ts'

export function rolloutMetrics(
  rollouts: Pick<RolloutBook, 'states'>,
  streams: Pick<StreamBook, 'count'>,
): readonly ReadMetric[] {
  const metric = (name: string, help: string, value: (state: RolloutState) => number) =>
    readMetric(name, help, () =>
      rollouts.states().map((state) => ({ labels: { rollout: state.rollout.key }, value: value(state) })),
    )
  return [
    metric(
      'banyan_rollout_stage',
      'The stage that requests meet: 0 legacy, 1 shadow, 2 canary, 3 live, 4 final.',
      ({ effective }) => rankOf(effective.stage),
    ),
    metric(
      'banyan_rollout_share_ratio',
      'The share of clients that the new side answers, 0 to 1.',
      ({ effective }) => effective.shareBasisPoints / wholeShare,
    ),
    metric(
      'banyan_rollout_overridden',
      '1 while something else than the file decides where it stands.',
      ({ effective }) => (effective.why === 'file' ? 0 : 1),
    ),
    metric(
      'banyan_rollout_streams',
      'Open tunnels and event streams of the new side.',
      ({ rollout }) => streams.count(rollout.key).open,
    ),
    metric(
      'banyan_rollout_streams_ended_total',
      'Tunnels and event streams of the new side that were ended because their client went back to the old one.',
      ({ rollout }) => streams.count(rollout.key).ended,
    ),
  ]
}

/** @param store undefined while nothing is shared: then there is nothing to be up or down */
export function storeMetric(store: () => { state(): { readonly is: string } } | undefined): ReadMetric {
  const about = { name: 'banyan_store_up', help: '1 while the store that replicas share is to be had.', type: 'gauge' }
  return {
    name: about.name,
    async get() {
      const state = store()?.state()
      return { ...about, aggregator: 'min', values: state ? [{ labels: {}, value: state.is === 'up' ? 1 : 0 }] : [] }
    },
  }
}
