// How targets fare by their checks and their requests, and how much each upstream is given at a time, for Prometheus.
// The danger it guards against: a target that is left alone for a week, and one less that nobody misses until the next one goes.
import type { Snapshot, Upstream } from '../model.ts'
import type { TargetView, Watch } from '../state/targets/watch.ts'
import { type ReadMetric, readMetric, type Sample } from './readMetric.ts'

interface Watching {
  /** Undefined before the first. */
  snapshot(): Pick<Snapshot, 'upstreams'> | undefined
  watchOf(upstream: Upstream): Watch
}

export function watchMetrics({ snapshot, watchOf }: Watching): readonly ReadMetric[] {
  const upstreams = () => [...(snapshot()?.upstreams.values() ?? [])]
  const metric = (name: string, help: string, samplesOf: (watch: Watch, upstream: string) => Sample[]) =>
    readMetric(name, help, () => upstreams().flatMap((upstream) => samplesOf(watchOf(upstream), upstream.name)))
  return [
    metric('banyan_target_healthy', '1 while its checks say that it is well, else 0.', ({ targets }, upstream) =>
      ofEach(targets, upstream, ({ checks }) => checks && Number(checks.isWell)),
    ),
    metric('banyan_target_checks_total', 'Its checks by what they found.', ({ targets }, upstream) =>
      targets.flatMap(({ target, checks }) => {
        const labels = { upstream, target }
        if (!checks) return []
        return (['good', 'failed'] as const).map((found) => ({ labels: { ...labels, found }, value: checks[found] }))
      }),
    ),
    metric('banyan_target_ejected', '1 while it is left alone for its failures, else 0.', ({ targets }, upstream) =>
      ofEach(targets, upstream, ({ ejections, backInMs }) => ejections && Number(backInMs !== undefined)),
    ),
    metric('banyan_target_ejections_total', 'How often it was left alone.', ({ targets }, upstream) =>
      ofEach(targets, upstream, ({ ejections }) => ejections),
    ),
    metric('banyan_upstream_concurrency_most', 'Requests that it is given at a time.', ({ concurrency }, upstream) =>
      concurrency ? [{ labels: { upstream }, value: concurrency.most }] : [],
    ),
    metric(
      'banyan_upstream_calm_seconds',
      'What its answers take to begin while it is not busy; that goes by it.',
      ({ concurrency: { calmMs } = { most: 0 } }, upstream) =>
        calmMs === undefined ? [] : [{ labels: { upstream }, value: calmMs / 1_000 }],
    ),
  ]
}

/** Of the targets that have such a number. */
function ofEach(
  targets: readonly TargetView[],
  upstream: string,
  numberOf: (view: TargetView) => number | undefined,
): Sample[] {
  return targets.flatMap((view) => {
    const value = numberOf(view)
    return value === undefined ? [] : [{ labels: { upstream, target: view.target }, value }]
  })
}
