// What outlives every reading of routes.yaml: connections, counts, the log, and the ports that filters are given of them.
// The danger it guards against: state that a reload throws away.
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createComparer } from './comparing/pool.ts'
import { createLive, type Live } from './config/live.ts'
import { createForward } from './forward/forward.ts'
import { createPools, type Pools } from './forward/pools.ts'
import { createResolver } from './forward/resolve.ts'
import type { Services } from './model/ports.ts'
import type { Clock } from './model.ts'
import { assembleMoving, type Moving } from './moving.ts'
import { breakerMetrics } from './ops/breakerMetrics.ts'
import { cacheMetrics } from './ops/cacheMetrics.ts'
import { createEmergency, type Emergency } from './ops/emergency.ts'
import type { Gateway } from './ops/gateway.ts'
import { createHealth, type Health } from './ops/health.ts'
import { loadMetrics, pressureMetrics } from './ops/loadMetrics.ts'
import { createLog, type Log } from './ops/log.ts'
import { createMetrics, type Metrics } from './ops/metrics.ts'
import { rolloutMetrics, storeMetric } from './ops/rolloutMetrics.ts'
import { type BreakerBook, createBreakers } from './state/breakers.ts'
import { createMemoryStock } from './state/cacheStock.ts'
import { createCaches } from './state/caches.ts'
import { type ComparingParts, type ComparisonBook, createComparisons } from './state/comparisons.ts'
import { createMirror, type Mirror } from './state/mirror.ts'
import { createPressure } from './state/pressure.ts'
import { createRecentWrites } from './state/recentWrites.ts'
import { createRetries } from './state/retryBudget.ts'
import { sharer } from './state/sharing/fleetSize.ts'
import { shareWrites } from './state/sharing/writes.ts'
import { createStreams, realSchedule } from './state/streams.ts'
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
  readonly moving: Moving
  readonly emergency: Emergency
  readonly comparisons: ComparisonBook
  /** What operators see of them. */
  readonly seen: Pick<Gateway, 'breakers' | 'loadOf' | 'pressure'>
  close(): Promise<void>
}

/** Of answers in stock, and of one of them. */
const stockBytes = 64 * 1024 * 1024
const mostObjectBytes = 1024 * 1024

/** @param stdout the file descriptor, or the path of a file in its place, that lines of the log go to */
export function assemble(clock: Clock, stdout: number | string | undefined): Parts {
  const log = createLog(clock, stdout)
  const mirror = watchedMirror(log)
  const moving = assembleMoving(clock, log)
  const { rollouts, sharing, traffic, guards } = moving
  const shareOf = sharer(sharing.fleetSize)
  const pools = createPools({ clock, lookup: createResolver(), shareOf })
  const streams = createStreams({ clock, schedule: realSchedule })
  rollouts.onChange(streams.turned)
  const forward = createForward({ clock, pools })
  const comparisons = watchedComparisons({ clock, forward, shareOf }, guards)
  const breakers = watchedBreakers(clock, moving)
  const caches = createCaches({ clock, stock: createMemoryStock(stockBytes), mostObjectBytes, schedule: realSchedule })
  const live = createLive((snapshot) => {
    moving.follow(snapshot)
    breakers.follow(snapshot)
  })
  const emergency = createEmergency({ life: log.life, rollouts, snapshot: () => live.snapshot })
  const pressure = createPressure({ clock, schedule: realSchedule })
  const seen = { breakers: () => breakers.views(), loadOf: pools.loadOf, pressure: pressure.view }
  const more = [
    ...rolloutMetrics(rollouts, streams),
    ...cacheMetrics(caches),
    ...metricsOfLoad(seen, live),
    storeMetric(sharing.store),
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
    pools.destroy()
    await emergency.close()
    await mirror.idle()
    await moving.close()
    await log.close()
  }
  const services = {
    clock,
    comparisons,
    retries: createRetries({ now: clock.now, random: Math.random, sleep }),
    rollouts,
    writes: shareWrites(createRecentWrites(clock), sharing.store),
    streams,
    breakers,
    pressure,
    caches,
    ...watched(forward, watching),
  }
  return { clock, live, services, pools, mirror, emergency, comparisons, seen, moving, ...watching, close }
}

function metricsOfLoad({ breakers, loadOf, pressure }: Parts['seen'], live: Live) {
  const ofUpstreams = loadMetrics({ snapshot: () => live.snapshot, loadOf })
  return [...breakerMetrics({ views: breakers }), ...ofUpstreams, ...pressureMetrics(pressure)]
}

/** The mirror, whose failures are told. */
function watchedMirror({ life }: Log): Mirror {
  return createMirror((thrown, stateDir) =>
    life.error({ stateDir, reason: String(thrown) }, 'routes.yaml not mirrored: a start on a broken file would fail'),
  )
}

/** The comparisons, of which the guards hear. */
function watchedComparisons(
  ports: Pick<ComparingParts, 'clock' | 'forward' | 'shareOf'>,
  guards: Moving['guards'],
): ComparisonBook {
  return createComparisons({
    ...ports,
    comparer: createComparer({ workers: 1, timeoutMs: 2_000, heapMb: 128, key: randomBytes(32) }),
    compared: (rollout, isSame) => guards.compared(rollout, isSame),
  })
}

/** The breakers, whose turns are told, and an opening held against the move that leads there. */
function watchedBreakers(clock: Clock, { record, guards }: Moving): BreakerBook {
  return createBreakers({
    clock,
    random: Math.random,
    turned(turn) {
      record.turned(turn)
      if (turn.to === 'open') guards.breakerOpened(turn.upstream)
    },
  })
}

/** The forward and the ends of requests, seen by everybody who counts them. */
function watched(
  forward: Services['forward'],
  {
    metrics,
    health,
    traffic,
    guards,
    log,
  }: Pick<Parts, 'metrics' | 'health' | 'log'> & Pick<Moving, 'traffic' | 'guards'>,
): Pick<Services, 'forward' | 'reportOutcome' | 'reportStart' | 'reportEnd'> {
  return {
    forward(exchange) {
      traffic.sent(exchange)
      return forward(exchange)
    },
    reportOutcome(outcome) {
      traffic.ended(outcome)
      guards.observe(outcome)
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
