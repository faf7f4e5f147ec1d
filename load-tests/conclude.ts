// Puts the report together: what was planned, what happened, what the balance says, the verdict.
// The danger it guards against: a report that leaves out what somebody would need to repeat the run.

import type { Known } from './acquaint.ts'
import { balance } from './balance.ts'
import type { Evidence } from './evidence.ts'
import { spreadOf } from './percentiles.ts'
import { countBy } from './phases.ts'
import type { Begun } from './plan.ts'
import type { Report } from './report.ts'
import type { Move } from './routes-file.ts'
import type { Run } from './run.ts'
import type { Site } from './site.ts'
import type { Throughput } from './throughput.ts'
import { exitCodes, verdictOf } from './verdict.ts'

export interface Concluding {
  readonly site: Site
  readonly plan: Begun
  readonly known: Known
  readonly move: Move
  readonly throughput: readonly Throughput[]
  readonly run: Run
  readonly evidence: Evidence
  /** The gateway's. */
  readonly version: string
  readonly connections: number
}

export function conclude(all: Concluding): Report {
  const { site, plan, known, move, throughput, run, evidence } = all
  const { traffic, shown, startAt, notMoved } = run
  const service = (upstream: string) => known.services.get(upstream) ?? upstream
  const balanced = balance({
    ...{ traffic, evidence, shown, notMoved, owners: known.owners },
    sides: { from: service(move.from), to: service(move.to) },
    movingKinds: new Set(known.kinds.filter(({ isMoving }) => isMoving).map(({ name }) => name)),
  })
  const { verdict, reasons } = verdictOf(balanced.facts)
  const hits = (site.interposers.get('monolith')?.hits ?? []).map(({ id }) => id)
  return {
    ...{ verdict, exitCode: exitCodes[verdict], reasons },
    startedAt: plan.startedAt.toISOString(),
    settings: settingsOf(plan, move, site),
    versions: { node: process.version, gateway: all.version },
    flips: shown.map((one) => ({ ...one, editedAt: one.editedAt - startAt, shownAt: one.shownAt - startAt })),
    generator: { lagMs: spreadOf(traffic.lagsMs) ?? null, unsent: traffic.unsent, connections: all.connections },
    requestsByKind: countBy(traffic.records, ({ kind }) => kind),
    fault: plan.fault ? { kind: plan.fault, injected: hits.length, ids: hits } : null,
    ...balanced,
    errors: traffic.records.filter(({ outcome }) => outcome !== 'ok'),
    throughput,
  }
}

function settingsOf(plan: Begun, { route }: Move, { gateway }: Site): Report['settings'] {
  const { ratePerSecond, seconds, seed, fault = null, given, logFile } = plan
  const pace = { ratePerSecond, seconds, seed, arrivals: 'poisson' as const }
  return { ...pace, fault, route, gateway, logFile: given ? null : logFile }
}
