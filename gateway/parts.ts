// What outlives every reading of routes.yaml: connections, counts, the log, and the ports that filters are given of them.
// The danger it guards against: state that a reload throws away.
import { createLive, type Live } from './config/live.ts'
import { assembleIdentifying, type Identifying } from './identifying.ts'
import type { Services } from './model/ports.ts'
import type { Clock } from './model.ts'
import { assembleMoving, type Moving } from './moving.ts'
import { certificateMetric } from './ops/certificateMetrics.ts'
import { createEmergency, type Emergency } from './ops/emergency.ts'
import { createHealth, type Health } from './ops/health.ts'
import { createLog, type Log } from './ops/log.ts'
import { createMetrics, type Metrics } from './ops/metrics.ts'
import { rolloutMetrics, storeMetric } from './ops/rolloutMetrics.ts'
import { assembleReaching, metricsOfReaching, type Reaching } from './reaching.ts'
import type { CertificateBook } from './state/certificates.ts'
import type { ComparisonBook } from './state/comparisons.ts'
import type { Mirror } from './state/mirror.ts'
import { createRecentWrites } from './state/recentWrites.ts'
import { shareWrites } from './state/sharing/writes.ts'
import { createStreams, realSchedule, type StreamBook } from './state/streams.ts'
import { assembleStocking, type Stocking } from './stocking.ts'
import { version } from './version.ts'
import { assembleVouching, type Vouching } from './vouching.ts'
import { watched, watchedCertificates, watchedComparisons, watchedMirror } from './watched.ts'

export interface Parts {
  readonly clock: Clock
  readonly log: Log
  readonly live: Live
  readonly metrics: Metrics
  readonly services: Services
  readonly health: Health
  readonly mirror: Mirror
  readonly certificates: CertificateBook
  readonly moving: Moving
  readonly identifying: Identifying
  readonly vouching: Vouching
  readonly reaching: Reaching
  readonly stocking: Stocking
  readonly emergency: Emergency
  readonly comparisons: ComparisonBook
  close(): Promise<void>
}

type Held = Omit<Parts, 'services' | 'metrics' | 'health' | 'close'> & { readonly streams: StreamBook }

/**
 * @param stdout the file descriptor, or the path of a file in its place, that lines of the log go to
 * @param cacheWithinMs the longest that a request waits for the shared cache
 */
export function assemble(clock: Clock, stdout: number | string | undefined, cacheWithinMs?: number): Parts {
  const log = createLog(clock, stdout)
  const moving = assembleMoving(clock, log)
  const { rollouts, sharing, traffic, guards, record } = moving
  const reaching = assembleReaching(clock, moving, log)
  const { forward, forwardTo, shareOf, retries } = reaching
  const identifying = assembleIdentifying({ clock, log, record, sharing, forward })
  const vouching = assembleVouching({ clock, log, sharing })
  const live = createLive((snapshot) => {
    moving.follow(snapshot)
    identifying.follow(snapshot)
    reaching.follow(snapshot)
    vouching.follow(snapshot)
  })
  const snapshot = () => live.snapshot
  const streams = createStreams({ clock, schedule: realSchedule })
  rollouts.onChange(streams.turned)
  const held: Held = {
    clock,
    log,
    live,
    mirror: watchedMirror(log),
    certificates: watchedCertificates(clock, log),
    moving,
    reaching,
    identifying,
    vouching,
    streams,
    stocking: assembleStocking(clock, log, cacheWithinMs),
    comparisons: watchedComparisons({ clock, forward: forwardTo, shareOf }, guards),
    emergency: createEmergency({ life: log.life, rollouts, denyKeys: identifying.denyKeys, snapshot }),
  }
  const metrics = createMetrics({ version, droppedLines: log.dropped, more: metricsOf(held) })
  const health = createHealth(clock)
  const seen = watched(forward, { log, metrics, health, traffic, guards, retries })
  return { ...held, metrics, health, services: { ...servicesOf(held), ...seen }, close: () => close(held) }
}

function metricsOf({ moving, streams, stocking, identifying, reaching, live, certificates }: Held) {
  return [
    ...rolloutMetrics(moving.rollouts, streams),
    ...stocking.metrics,
    ...identifying.metrics,
    ...metricsOfReaching(reaching.seen, () => live.snapshot),
    storeMetric(moving.sharing.store),
    certificateMetric(certificates),
  ]
}

function servicesOf({ clock, moving, reaching, identifying, vouching, stocking, streams, comparisons }: Held) {
  const { retries, breakers, pressure, secrets } = reaching
  return {
    clock,
    comparisons,
    retries,
    rollouts: moving.rollouts,
    writes: shareWrites(createRecentWrites(clock), moving.sharing.store),
    streams,
    breakers,
    pressure,
    secrets,
    caches: stocking.caches,
    ...identifying.ports,
    ...vouching.ports,
  }
}

async function close(held: Held): Promise<void> {
  // Its legs would open connections anew.
  await held.comparisons.close()
  await held.reaching.close()
  held.stocking.close()
  await held.emergency.close()
  await held.mirror.close()
  await held.certificates.close()
  await held.moving.close()
  await held.identifying.close()
  held.vouching.close()
  await held.log.close()
}
