// How the requests of upstreams with several targets are spread over them, for Prometheus.
// The danger it guards against: a dead node that nobody sees, because the others answer for it.
import type { Balance, Snapshot, TargetLoad, Upstream } from '../model.ts'
import { type ReadMetric, readMetric } from './readMetric.ts'

interface Balances {
  /** Undefined before the first. */
  snapshot(): Pick<Snapshot, 'upstreams'> | undefined
  balanceOf(upstream: Upstream): Balance
}

export function targetMetrics({ snapshot, balanceOf }: Balances): readonly ReadMetric[] {
  /** What a single target has to say its upstream's own series say. */
  const several = () => [...(snapshot()?.upstreams.values() ?? [])].filter(({ targets }) => targets.length > 1)
  const metric = (name: string, help: string, value: (load: TargetLoad) => number) =>
    readMetric(name, help, () =>
      several().flatMap((upstream) =>
        balanceOf(upstream).targets.map((load) => ({
          labels: { upstream: upstream.name, target: load.origin },
          value: value(load),
        })),
      ),
    )
  return [
    metric('banyan_target_active', 'Requests under way at it.', ({ active }) => active),
    metric('banyan_target_connections', 'Connections to it; over HTTP/2 requests.', ({ open }) => open),
    metric('banyan_target_up', '1 while it is sent requests; 0 while others are in its place.', ({ isUp }) =>
      Number(isUp),
    ),
    metric(
      'banyan_target_unreached_total',
      'Requests that it could not be handed, and another was.',
      (load) => load.unreached,
    ),
    readMetric(
      'banyan_affinity_moved_requests_total',
      'Requests whose client was bound to one target and that another answered: its session may be lost.',
      () => several().map((one) => ({ labels: { upstream: one.name }, value: balanceOf(one).moved })),
    ),
  ]
}
