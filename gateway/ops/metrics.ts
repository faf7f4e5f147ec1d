// The gateway's numbers for Prometheus.
// The danger it guards against: a label that a client can choose (a path, a method, a host), which grows without bound.
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'
import type { FailureCode } from '../errors.ts'
import type { Report } from '../model/ports.ts'
import type { Exchange, Outcome, Snapshot } from '../model.ts'
import { Durations, histogramOf } from './durations.ts'
import type { ReadMetric } from './readMetric.ts'
import { countsOf, gaugeOf } from './readOff.ts'
import { statusClassOf, upstreamOf } from './report.ts'
import { type Labels, SeriesByLabels } from './series.ts'

export interface Metrics {
  readonly contentType: string
  /** A request has entered its pipeline; exactly one `end` follows. */
  start(exchange: Exchange): void
  end(report: Report): void
  outcome(outcome: Outcome): void
  /** A request that a door refused before any Route. */
  refused(code: FailureCode): void
  nearMiss(route: string): void
  /** A file was accepted: its revision counts, and the series of Routes and Upstreams that it no longer has are dropped. */
  accepted(snapshot: Snapshot): void
  rejected(problems: number): void
  /** Ended requests by Route, since the Route was last added. */
  requests(): ReadonlyMap<string, number>
  nearMisses(): Readonly<Record<string, number>>
  text(): Promise<string>
}

/** `droppedLines`: lines of the log that were lost; `more`: metrics that are read off elsewhere. */
type Measured = { version: string; droppedLines?: () => number; more?: readonly ReadMetric[] }

export function createMetrics({ version, droppedLines, more = [] }: Measured): Metrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const traffic = createTraffic(registry)
  const nearMisses = createNearMisses(registers)
  const attempts = createAttempts(registers)
  const fallbacks = createFallbacks(registers)
  const config = createConfig(registers)
  const refused = new Counter({
    name: 'banyan_refused_requests_total',
    help: 'Requests that were refused before any route.',
    labelNames: ['code'],
    registers,
  })
  const build = { name: 'banyan_build_info', help: 'What runs.', labelNames: ['version', 'node'], registers }
  new Gauge(build).set({ version, node: process.version }, 1)
  const lost = { name: 'banyan_log_lines_dropped_total', help: 'Log lines that the log did not take.', labelNames: [] }
  // A Registry uses no more of a metric than its name and `get`; its type knows prom-client's own classes only.
  for (const metric of more) registry.registerMetric(metric as unknown as Metric)
  if (droppedLines) countsOf(registers, () => [[[], { count: droppedLines() }]], lost)
  return {
    contentType: registry.contentType,
    start: traffic.start,
    end(report) {
      traffic.end(report)
      fallbacks.end(report)
    },
    outcome: attempts.outcome,
    nearMiss: nearMisses.count,
    requests: traffic.requests,
    nearMisses: nearMisses.counts,
    refused: (code) => refused.inc({ code }),
    accepted(snapshot) {
      const routes = new Set([...snapshot.routes, snapshot.unmatched].map((route) => route.name))
      traffic.keepOnly(routes)
      nearMisses.keepOnly(routes)
      fallbacks.keepOnly(routes)
      attempts.keepOnly(snapshot.upstreams)
      config.accepted(snapshot)
    },
    rejected: config.rejected,
    text: () => registry.metrics(),
  }
}

function createTraffic(registry: Registry) {
  const registers = [registry]
  const all = new SeriesByLabels(() => ({ durations: new Durations(), count: 0 }))
  countsOf(registers, () => all, {
    name: 'banyan_requests_total',
    help: 'Requests by who answered them, with the class of the status.',
    labelNames: ['route', 'stage', 'upstream', 'status'],
  })
  const durations = histogramOf(() => Array.from(all, durationsOf), {
    name: 'banyan_request_duration_seconds',
    help: 'From the complete head of the request to the end of the answer; without upgraded connections.',
  })
  // A Registry uses no more of a metric than that; its type knows prom-client's own classes only.
  registry.registerMetric(durations as unknown as Metric)
  let inFlight = 0
  gaugeOf(registers, 'banyan_requests_in_flight', 'Requests whose answer has not ended.', () => inFlight)
  return {
    keepOnly: (routes: ReadonlySet<string>) => all.keepOnly(routes),
    start() {
      inFlight += 1
    },
    end(report: Report) {
      inFlight -= 1
      const { exchange, answer, end } = report
      const { name, move } = exchange.route
      const series = all.of(name, move?.stage ?? '', upstreamOf(report) ?? '', statusClassOf(answer.status))
      series.count += 1
      if (!answer.tunnel) series.durations.observe((end.at - exchange.receivedAt) / 1000)
    },
    requests() {
      const counts = new Map<string, number>()
      for (const [[route], { count }] of all) counts.set(route, (counts.get(route) ?? 0) + count)
      return counts
    },
  }
}

function durationsOf([[route, , upstream], { durations }]: readonly [Labels, { durations: Durations }]) {
  return [{ route, upstream }, durations] as const
}

function createNearMisses(registers: Registry[]) {
  const missed = new Counter({
    name: 'banyan_near_misses_total',
    help: 'Requests that only a looser reading of their path would have given to the route.',
    labelNames: ['route'],
    registers,
  })
  const counts = new Map<string, number>()
  return {
    count(route: string) {
      counts.set(route, (counts.get(route) ?? 0) + 1)
      missed.inc({ route })
    },
    counts: () => Object.fromEntries(counts),
    keepOnly(routes: ReadonlySet<string>) {
      for (const route of counts.keys()) {
        if (routes.has(route)) continue
        counts.delete(route)
        missed.remove(route)
      }
    },
  }
}

function createAttempts(registers: Registry[]) {
  const all = new SeriesByLabels(() => ({ count: 0 }))
  countsOf(registers, () => all, {
    name: 'banyan_upstream_attempts_total',
    help: 'Attempts at upstreams by how they ended; no blame where nothing went wrong.',
    labelNames: ['upstream', 'role', 'blame', 'code'],
  })
  return {
    outcome({ upstream, role, blame, failure }: Outcome) {
      all.of(upstream, role, blame ?? '', failure ?? '').count += 1
    },
    keepOnly: (upstreams: ReadonlyMap<string, unknown>) => all.keepOnly(upstreams),
  }
}

function createFallbacks(registers: Registry[]) {
  const all = new SeriesByLabels(() => ({ count: 0 }))
  countsOf(registers, () => Array.from(all, ([[route, reason], counted]) => [[route, reason], counted]), {
    name: 'banyan_fallbacks_total',
    help: 'Requests that the old side was asked in place of the new one, by what the new one failed with.',
    labelNames: ['route', 'reason'],
  })
  return {
    end({ exchange, answer: { fallback } }: Report) {
      if (fallback !== undefined) all.of(exchange.route.name, fallback, '', '').count += 1
    },
    keepOnly: (routes: ReadonlySet<string>) => all.keepOnly(routes),
  }
}

function createConfig(registers: Registry[]) {
  const reloads = new Counter({
    name: 'banyan_reloads_total',
    help: 'Readings of routes.yaml by result.',
    labelNames: ['result'],
    registers,
  })
  let revision = 0
  let loadedAtSeconds = 0
  let problems = 0
  gaugeOf(registers, 'banyan_config_revision', 'The revision that serves; 0 before the first.', () => revision)
  gaugeOf(registers, 'banyan_config_loaded_timestamp_seconds', 'When it was loaded.', () => loadedAtSeconds)
  gaugeOf(registers, 'banyan_config_problems', 'Mistakes in the newest file; 0 when it serves.', () => problems)
  return {
    accepted(snapshot: Snapshot) {
      reloads.inc({ result: 'accepted' })
      revision = snapshot.revision
      loadedAtSeconds = snapshot.loadedAt / 1000
      problems = 0
    },
    rejected(count: number) {
      reloads.inc({ result: 'refused' })
      problems = count
    },
  }
}
