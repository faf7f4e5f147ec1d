// What outlives every reading of routes.yaml: connections, counts, the log, and the ports that filters are given of them.
// The danger it guards against: state that a reload throws away.
import { randomBytes } from 'node:crypto'
import { createComparer } from './comparing/pool.ts'
import { createLive, type Live } from './config/live.ts'
import { createForward } from './forward/forward.ts'
import { createPools, type Pools } from './forward/pools.ts'
import { createResolver } from './forward/resolve.ts'
import type { Clock, Services } from './model.ts'
import { createEmergency, type Emergency } from './ops/emergency.ts'
import type { Evidence } from './ops/gateway.ts'
import { createHealth, type Health } from './ops/health.ts'
import { createLog, type Log } from './ops/log.ts'
import { createMetrics, type Metrics } from './ops/metrics.ts'
import { createRecord, type Record } from './ops/record.ts'
import { rolloutMetrics } from './ops/rolloutMetrics.ts'
import { createComparisons } from './state/comparisons.ts'
import { createMirror, type Mirror } from './state/mirror.ts'
import { createRecentWrites } from './state/recentWrites.ts'
import type { RolloutBook } from './state/rolloutBook.ts'
import { createRollouts } from './state/rollouts.ts'
import { createTraffic, type Traffic } from './state/traffic.ts'
import { version } from './version.ts'

export interface Parts {
  readonly clock: Clock
  readonly log: Log
  readonly live: Live
  readonly metrics: Metrics
  readonly services: Services
  readonly pools: Pools
  readonly health: Health
  readonly mirror: Mirror
  readonly rollouts: RolloutBook
  readonly record: Record
  readonly traffic: Traffic
  readonly evidence: Evidence
  readonly emergency: Emergency
  close(): Promise<void>
}

/** @param stdout the file descriptor, or the path of a file in its place, that lines of the log go to */
export function assemble(clock: Clock, stdout: number | string | undefined): Parts {
  const log = createLog(clock, stdout)
  const pools = createPools({ clock, lookup: createResolver() })
  const mirror = createMirror((thrown, stateDir) =>
    log.life.error(
      { stateDir, reason: String(thrown) },
      'routes.yaml not mirrored: a start on a broken file would fail',
    ),
  )
  const moving = assembleMoving(clock, log)
  const { rollouts, traffic, record } = moving
  const comparisons = createComparisons({
    clock,
    comparer: createComparer({ workers: 1, timeoutMs: 2_000, heapMb: 128, key: randomBytes(32) }),
    compared: () => {},
  })
  const live = createLive((snapshot) => {
    traffic.follow(snapshot)
    rollouts.declare(snapshot)
  })
  const emergency = createEmergency({ life: log.life, rollouts, snapshot: () => live.snapshot })
  const watching = {
    log,
    metrics: createMetrics({ version, droppedLines: log.dropped, more: rolloutMetrics(rollouts) }),
    health: createHealth(clock),
    traffic,
  }
  const close = async () => {
    pools.destroy()
    await emergency.close()
    await mirror.idle()
    await rollouts.written()
    await comparisons.close()
    await record.close()
    await log.close()
  }
  const services = {
    clock,
    comparisons,
    rollouts,
    writes: createRecentWrites(clock),
    ...watched(createForward({ clock, pools }), watching),
  }
  return { clock, live, services, pools, mirror, emergency, ...moving, ...watching, close }
}

/** What knows and tells where the moves stand. */
function assembleMoving(clock: Clock, log: Log) {
  const rollouts = createRollouts(clock.wall, (thrown) =>
    log.life.error(
      { reason: String(thrown) },
      'what is decided about the rollouts is not written down: a restart would forget it',
    ),
  )
  const record = createRecord(clock, log.life)
  const traffic = createTraffic(clock)
  rollouts.onChange((change) => {
    traffic.turned(change)
    record.changed(change)
  })
  const evidence: Evidence = { verdictOf: () => undefined, comparedOf: () => undefined }
  return { rollouts, record, traffic, evidence }
}

/** The forward and the ends of requests, seen by everybody who counts them. */
function watched(
  forward: Services['forward'],
  { metrics, health, traffic, log }: Pick<Parts, 'metrics' | 'health' | 'traffic' | 'log'>,
): Pick<Services, 'forward' | 'reportOutcome' | 'reportStart' | 'reportEnd'> {
  return {
    forward(exchange) {
      traffic.sent(exchange)
      return forward(exchange)
    },
    reportOutcome(outcome) {
      traffic.ended(outcome)
      metrics.outcome(outcome)
      health.outcome(outcome)
    },
    reportStart: metrics.start,
    reportEnd(report) {
      metrics.end(report)
      log.exchange(report)
    },
  }
}
