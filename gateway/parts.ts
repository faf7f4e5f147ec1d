// What outlives every reading of routes.yaml: connections, counts, the log, and the ports that filters are given of them.
// The danger it guards against: state that a reload throws away.
import { randomBytes } from 'node:crypto'
import { createComparer } from './comparing/pool.ts'
import { createLive, type Live } from './config/live.ts'
import { createForward } from './forward/forward.ts'
import { createPools, type Pools } from './forward/pools.ts'
import { createResolver } from './forward/resolve.ts'
import type { Clock, Services } from './model.ts'
import { createHealth, type Health } from './ops/health.ts'
import { createLog, type Log } from './ops/log.ts'
import { createMetrics, type Metrics } from './ops/metrics.ts'
import { createComparisons } from './state/comparisons.ts'
import { createMirror, type Mirror } from './state/mirror.ts'
import type { RolloutBook } from './state/rolloutBook.ts'
import { createRollouts } from './state/rollouts.ts'
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
  close(): Promise<void>
}

/** @param stdout the file descriptor, or the path of a file in its place, that lines of the log go to */
export function assemble(clock: Clock, stdout: number | string | undefined): Parts {
  const log = createLog(clock, stdout)
  const metrics = createMetrics({ version, droppedLines: log.dropped })
  const health = createHealth(clock)
  const pools = createPools({ clock, lookup: createResolver() })
  const rollouts = createRollouts(clock.wall, (thrown) =>
    log.life.error(
      { reason: String(thrown) },
      'what is decided about the rollouts is not written down: a restart would forget it',
    ),
  )
  const comparisons = createComparisons({
    clock,
    comparer: createComparer({ workers: 1, timeoutMs: 2_000, heapMb: 128, key: randomBytes(32) }),
    compared: () => {},
  })
  const services: Services = {
    clock,
    comparisons,
    rollouts,
    forward: createForward({ clock, pools }),
    reportOutcome(outcome) {
      metrics.outcome(outcome)
      health.outcome(outcome)
    },
    reportStart: metrics.start,
    reportEnd(report) {
      metrics.end(report)
      log.exchange(report)
    },
  }
  const mirror = createMirror((thrown, stateDir) =>
    log.life.error(
      { stateDir, reason: String(thrown) },
      'routes.yaml not mirrored: a start on a broken file would fail',
    ),
  )
  const close = async () => {
    pools.destroy()
    await mirror.idle()
    await rollouts.written()
    await comparisons.close()
    await log.close()
  }
  return {
    clock,
    log,
    live: createLive((snapshot) => rollouts.declare(snapshot)),
    metrics,
    services,
    pools,
    health,
    mirror,
    rollouts,
    close,
  }
}
