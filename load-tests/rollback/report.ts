// What a rollback run leaves behind: a table for people and a JSON file for everything else.
// The danger it guards against: a time without the two instants that it lies between.
import type { Hit } from '../interposer.ts'
import { renderPhases, renderSending, type Sending, shownIds } from '../print.ts'
import type { SentRequest } from '../traffic.ts'
import type { Verdict } from '../verdict.ts'
import type { Balance } from './books.ts'
import type { RollbackPlan } from './plan.ts'
import type { Facts } from './verdict.ts'

export interface Report extends Pick<Balance, 'phases' | 'findings'> {
  readonly verdict: Verdict
  readonly exitCode: number
  readonly reasons: readonly string[]
  /** ISO 8601. */
  readonly startedAt: string
  readonly settings: Omit<RollbackPlan, 'say' | 'withinMs' | 'guard'> & {
    readonly guard: RollbackPlan['guard'] | null
    readonly arrivals: 'poisson'
    readonly route: string
    readonly sharePercent: number
  }
  readonly versions: { readonly node: string; readonly gateway: string }
  /** Milliseconds from the start of the traffic. */
  readonly times: {
    readonly told: number | null
    readonly firstFailure: number | null
    readonly decided: number | null
  }
  /** In the gateway's words. */
  readonly reasonOfRollback: string | null
  readonly generator: Sending
  readonly facts: Facts
  /** All that was spoilt; `at` in milliseconds since the epoch. */
  readonly hits: readonly Hit[]
  /** Every request whose outcome was not ok. */
  readonly errors: readonly SentRequest[]
}

export function renderReport(report: Report): string {
  return [
    '',
    renderPhases(report.phases),
    '',
    ...renderTimes(report),
    ...renderBooks(report),
    ...renderRestart(report),
    renderSending(report.generator),
    '',
    ...renderVerdict(report),
  ].join('\n')
}

function renderTimes({ times, facts, settings, reasonOfRollback }: Report): string[] {
  const at = (ms: number | null) => (ms === null ? 'never' : `at ${(ms / 1000).toFixed(2)} s`)
  const { fault, faultShare } = settings
  const rate = facts.candidatePerSecond.toFixed(0)
  const bound = facts.withinMs === null ? '' : ` (allowed: ${facts.withinMs})`
  return [
    `fault       ${fault}, ${faultShare * 100} % of the candidate's answers; it took ${rate} requests/s; ${facts.planted} spoilt, the first ${at(times.firstFailure)}`,
    `rollback    ${at(times.decided)}, ${facts.decidedAfterMs ?? '–'} ms after the first failure${bound}`,
    ...(reasonOfRollback === null ? [] : [`            ${reasonOfRollback}`]),
  ]
}

function renderBooks({ facts }: Report): string[] {
  const overload = facts.overloaded > 0 ? `; ${facts.overloaded} without room or time` : ''
  const legs = facts.legs > 0 ? `; ${facts.legs} legs of the gateway's own` : ''
  return [
    `failures    ${facts.failuresBefore} reached clients before it, ${facts.failuresUnderWay} of the ${facts.underWay} requests under way then, ${facts.failuresAfter} of ${facts.after} after it`,
    `stickiness  ${facts.flipped} of ${facts.visitors} visitors changed sides before it`,
    `ledgers     lost ${facts.lost}, doubled ${facts.doubled}, wrong side ${facts.wrongSide}; ${facts.unexplained} unexplained${overload}${legs}`,
  ]
}

function renderRestart({ facts: { restart } }: Report): string[] {
  if (!restart) return []
  const { isStillRolledBack, asked, answeredByOldSide, audit } = restart
  const chain = audit.isSound ? 'sound' : `broken (${audit.why})`
  return [
    `kill -9     ${isStillRolledBack ? 'still rolled back' : 'FORGOTTEN'}; the old side answered ${answeredByOldSide} of ${asked}; audit of ${audit.records} records ${chain}`,
  ]
}

function renderVerdict({ verdict, reasons, facts, findings, errors, hits, settings }: Report): string[] {
  const summary = `${facts.requests} requests, rolled back after ${facts.decidedAfterMs ?? '–'} ms, ${facts.failuresAfter} failures after it`
  const planted = new Set(hits.map(({ id }) => id))
  const strange = [...findings, ...errors.filter(({ id }) => !planted.has(id))]
  const ids = [...new Set(strange.map(({ id }) => id))].slice(0, shownIds)
  return [
    `${verdict.toUpperCase()}: ${summary}`,
    ...reasons.map((reason) => `  ${reason}`),
    ...(verdict === 'failed' && ids.length > 0
      ? [
          `  for example ${ids.join(' ')}`,
          `  npx banyan why ${ids[0]} --log ${settings.logFile} tells what the gateway knows`,
        ]
      : []),
  ]
}
