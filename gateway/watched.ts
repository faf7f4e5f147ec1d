// What tells of what happens: who counts, logs and judges hears of it from the parts that do it.
// The danger it guards against: a failure that nobody is told of.
import { randomBytes } from 'node:crypto'
import { createComparer } from './comparing/pool.ts'
import type { Services } from './model/ports.ts'
import type { Clock } from './model.ts'
import type { Moving } from './moving.ts'
import type { Health } from './ops/health.ts'
import type { Log } from './ops/log.ts'
import type { Metrics } from './ops/metrics.ts'
import { type CertificateBook, createCertificates } from './state/certificates.ts'
import { type ComparingParts, type ComparisonBook, createComparisons } from './state/comparisons.ts'
import { createMirror, type Mirror } from './state/mirror.ts'
import type { RetryBook } from './state/retryBudget.ts'

/** The mirror, whose failures are told. */
export function watchedMirror({ life }: Log): Mirror {
  return createMirror((thrown, stateDir) =>
    life.error({ stateDir, reason: String(thrown) }, 'routes.yaml not mirrored: a start on a broken file would fail'),
  )
}

/** The certificates, of whose change and trouble is told. */
export function watchedCertificates(clock: Clock, { life }: Log): CertificateBook {
  return createCertificates({
    clock,
    told({ trouble, expiresAt, ...view }) {
      if (trouble !== undefined) life.error({ ...view, reason: trouble }, 'the certificate before stays in use')
      else life.info({ ...view, expires: new Date(expiresAt).toISOString() }, 'another certificate is in use')
    },
  })
}

/** The comparisons, of which the guards hear. */
export function watchedComparisons(
  ports: Pick<ComparingParts, 'clock' | 'forward' | 'shareOf'>,
  guards: Moving['guards'],
): ComparisonBook {
  return createComparisons({
    ...ports,
    comparer: createComparer({ workers: 1, timeoutMs: 2_000, heapMb: 128, key: randomBytes(32) }),
    compared: (rollout, isSame) => guards.compared(rollout, isSame),
  })
}

interface Watching extends Pick<Moving, 'traffic' | 'guards'> {
  readonly retries: RetryBook
  readonly metrics: Metrics
  readonly health: Health
  readonly log: Log
}

/** The forward and the ends of requests, seen by everybody who counts them. */
export function watched(
  forward: Services['forward'],
  { metrics, health, traffic, guards, retries, log }: Watching,
): Pick<Services, 'forward' | 'reportOutcome' | 'reportStart' | 'reportEnd'> {
  return {
    forward(exchange) {
      traffic.sent(exchange)
      retries.sent(exchange)
      return forward(exchange)
    },
    reportOutcome(outcome) {
      traffic.ended(outcome)
      retries.ended(outcome)
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
