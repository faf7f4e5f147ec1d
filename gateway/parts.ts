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
import { createStreams, realSchedule } from './state/streams.ts'
import { assembleStocking, type Stocking } from './stocking.ts'
import { version } from './version.ts'
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
  readonly reaching: Reaching
  readonly stocking: Stocking
  readonly emergency: Emergency
  readonly comparisons: ComparisonBook
  close(): Promise<void>
}

/** @param stdout the file descriptor, or the path of a file in its place, that lines of the log go to */
export function assemble(clock: Clock, stdout: number | string | undefined): Parts {
  const log = createLog(clock, stdout)
  const mirror = watchedMirror(log)
  const certificates = watchedCertificates(clock, log)
  const moving = assembleMoving(clock, log)
  const { rollouts, sharing, traffic, guards } = moving
  const reaching = assembleReaching(clock, moving, log)
  const { forward, forwardTo, breakers, retries, pressure, shareOf } = reaching
  const identifying = assembleIdentifying({ clock, log, record: moving.record, sharing, forward })
  const streams = createStreams({ clock, schedule: realSchedule })
  rollouts.onChange(streams.turned)
  const comparisons = watchedComparisons({ clock, forward: forwardTo, shareOf }, guards)
  const stocking = assembleStocking(clock, log)
  const live = createLive((snapshot) => {
    moving.follow(snapshot)
    identifying.follow(snapshot)
    reaching.follow(snapshot)
  })
  const emergency = createEmergency({ life: log.life, rollouts, snapshot: () => live.snapshot })
  const more = [
    ...rolloutMetrics(rollouts, streams),
    ...stocking.metrics,
    ...identifying.metrics,
    ...metricsOfReaching(reaching.seen, () => live.snapshot),
    storeMetric(sharing.store),
    certificateMetric(certificates),
  ]
  const watching = {
    log,
    metrics: createMetrics({ version, droppedLines: log.dropped, more }),
    health: createHealth(clock),
    traffic,
    guards,
  }
  const close = async () => {
    // Its legs would open connections anew.
    await comparisons.close()
    await reaching.close()
    stocking.close()
    await emergency.close()
    await mirror.idle()
    await certificates.close()
    await moving.close()
    await identifying.close()
    await log.close()
  }
  const services = {
    clock,
    comparisons,
    retries,
    rollouts,
    writes: shareWrites(createRecentWrites(clock), sharing.store),
    streams,
    breakers,
    pressure,
    caches: stocking.caches,
    credentials: identifying.credentials,
    ...watched(forward, watching),
  }
  return {
    clock,
    live,
    services,
    mirror,
    certificates,
    emergency,
    comparisons,
    moving,
    identifying,
    reaching,
    stocking,
    ...watching,
    close,
  }
}
