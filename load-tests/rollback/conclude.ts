// Puts the report together: what was planned, what happened, what the books and the crash say, the verdict.
// The danger it guards against: times of two clocks that are compared as if they were one.
import type { Evidence } from '../evidence.ts'
import type { Hit } from '../interposer.ts'
import type { Decided } from '../operators.ts'
import { spreadOf } from '../percentiles.ts'
import { exitCodes } from '../verdict.ts'
import { type Balance, balance } from './books.ts'
import { type Begun, route, sharePercent } from './plan.ts'
import type { Report } from './report.ts'
import type { Restart } from './restart.ts'
import type { Run } from './run.ts'
import { type Facts, verdictOf } from './verdict.ts'

export interface Concluding {
  readonly plan: Begun
  readonly run: Run
  /** The machine's clock less the client's, before the traffic and after it. */
  readonly epochs: { readonly before: number; readonly after: number }
  readonly hits: readonly Hit[]
  readonly evidence: Evidence
  readonly decided: Decided | undefined
  /** As the ledgers call them. */
  readonly sides: { readonly from: string; readonly to: string }
  /** The gateway's. */
  readonly version: string
  readonly connections: number
  /** Crashes the gateway, and asks for those visitors again; undefined where it has not decided anything. */
  readonly crash: (moved: readonly string[]) => Promise<Restart> | undefined
}

export async function conclude(all: Concluding): Promise<Report> {
  const { plan, run, epochs, hits, evidence, decided, sides } = all
  const { traffic, startAt, seen } = run
  const decidedAt = decided && decided.at - epochs.after
  const books = { records: traffic.records, entries: evidence.entries, hits, beganAt: seen.beganAt, decidedAt, sides }
  const balanced = balance(books)
  const facts = factsOf(all, balanced, (await all.crash(balanced.moved)) ?? null)
  const { verdict, reasons } = verdictOf(facts)
  const fromStart = (ms: number | undefined) => (ms === undefined ? null : Math.round(ms - startAt))
  return {
    ...{ verdict, exitCode: exitCodes[verdict], reasons },
    startedAt: plan.startedAt.toISOString(),
    settings: settingsOf(plan),
    versions: { node: process.version, gateway: all.version },
    times: {
      told: fromStart(seen.beganAt),
      firstFailure: fromStart(hits[0] && hits[0].at - epochs.after),
      decided: fromStart(decidedAt),
    },
    reasonOfRollback: decided?.reason ?? null,
    generator: { lagMs: spreadOf(traffic.lagsMs) ?? null, unsent: traffic.unsent, connections: all.connections },
    facts,
    ...{ phases: balanced.phases, findings: balanced.findings, hits },
    errors: traffic.records.filter(({ outcome }) => outcome !== 'ok'),
  }
}

function factsOf(all: Concluding, balanced: Balance, restart: Restart | null): Facts {
  const { plan, run, epochs, hits, evidence, decided } = all
  const { phases: _phases, findings: _findings, moved: _moved, ...counts } = balanced
  const { traffic, seen } = run
  return {
    requests: traffic.records.length,
    unsent: traffic.unsent,
    lagP99Ms: spreadOf(traffic.lagsMs)?.p99 ?? 0,
    forgotten: evidence.forgotten,
    running: evidence.running,
    ...counts,
    planted: hits.length,
    verdictBefore: seen.verdictBefore ?? null,
    decidedBy: decided?.by ?? null,
    decidedAfterMs: decided && hits[0] ? decided.at - hits[0].at : null,
    withinMs: plan.withinMs ?? null,
    clockSetMs: epochs.after - epochs.before,
    restart,
  }
}

function settingsOf(plan: Begun): Report['settings'] {
  const { ratePerSecond, seconds, seed, fault, faultShare, guard = null, logFile } = plan
  const pace = { ratePerSecond, seconds, seed, arrivals: 'poisson' as const }
  return { ...pace, fault, faultShare, guard, logFile, route, sharePercent }
}
