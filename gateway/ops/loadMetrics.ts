// What is under way at each upstream and what may be, for Prometheus.
// The danger it guards against: requests that wait for one upstream, and a fleet whose operators look at another.
import type { Snapshot, Upstream, UpstreamLoad } from '../model.ts'
import type { PressureView } from '../state/pressure.ts'
import { type ReadMetric, readMetric, single } from './readMetric.ts'

interface Loads {
  /** Undefined before the first. */
  snapshot(): Pick<Snapshot, 'upstreams'> | undefined
  loadOf(upstream: Upstream): UpstreamLoad
}

export function loadMetrics({ snapshot, loadOf }: Loads): readonly ReadMetric[] {
  const upstreams = () => [...(snapshot()?.upstreams.values() ?? [])]
  const metric = (name: string, help: string, value: (load: UpstreamLoad) => number) =>
    readMetric(name, help, () =>
      upstreams().map((upstream) => ({ labels: { upstream: upstream.name }, value: value(loadOf(upstream)) })),
    )
  return [
    metric('banyan_upstream_connections', 'Connections to it; over HTTP/2 requests.', ({ open }) => open),
    metric('banyan_upstream_connections_most', "This gateway's share of maxConnections.", ({ most }) => most),
    metric('banyan_upstream_pending', 'Requests that wait for one of them.', ({ waiting }) => waiting),
  ]
}

export function pressureMetrics(pressure: () => PressureView): readonly ReadMetric[] {
  return [
    readMetric(
      'banyan_lag_seconds',
      'How late the event loop is, again and again: what shedAt goes by.',
      single(() => pressure().lagMs / 1000),
    ),
    readMetric('banyan_shed_requests_total', 'Requests that were refused because it was.', () =>
      Object.entries(pressure().shed).map(([priority, value]) => ({ labels: { priority }, value })),
    ),
  ]
}
