// What a run leaves behind: a table for people and a JSON file for everything else.
// The danger it guards against: a verdict without what it rests on. Ids of what went wrong are in it, to look them up.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Balance } from './balance.ts'
import type { FaultKind } from './fault.ts'
import type { Spread } from './percentiles.ts'
import type { Phase } from './phases.ts'
import type { Throughput } from './throughput.ts'
import { outcomes, type SentRequest } from './traffic.ts'
import type { Verdict } from './verdict.ts'

export interface Report extends Pick<Balance, 'facts' | 'phases' | 'eitherSide' | 'foreign'> {
  readonly verdict: Verdict
  readonly exitCode: number
  readonly reasons: readonly string[]
  /** ISO 8601. */
  readonly startedAt: string
  readonly settings: {
    readonly ratePerSecond: number
    readonly seconds: number
    readonly seed: number
    readonly fault: FaultKind | null
    readonly arrivals: 'poisson'
    readonly route: string
    readonly gateway: string
    /** The gateway's access log, when it was started for the run. */
    readonly logFile: string | null
  }
  readonly versions: { readonly node: string; readonly gateway: string }
  /** The moves as the gateway showed them; times in milliseconds from the start of the traffic. */
  readonly flips: readonly {
    readonly stage: string
    readonly editedAt: number
    readonly shownAt: number
    readonly revision: number
    readonly hash: string
  }[]
  readonly generator: { readonly lagMs: Spread | null; readonly unsent: number; readonly connections: number }
  readonly requestsByKind: Readonly<Record<string, number>>
  /** What was spoilt on purpose; `ids` are all of it. */
  readonly fault: { readonly kind: FaultKind; readonly injected: number; readonly ids: readonly string[] } | null
  readonly findings: Balance['findings']
  /** Every request whose outcome was not ok. */
  readonly errors: readonly SentRequest[]
  /** Not evidence. */
  readonly throughput: readonly Throughput[]
}

/** How many ids of a sort are printed; the file has all. */
const shownIds = 5

export async function writeReport(file: string, report: Report): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`)
}

export function renderReport(report: Report): string {
  return [
    '',
    renderPhases(report.phases, report.settings.route),
    '',
    renderBooks(report),
    ...renderFault(report),
    ...renderThroughput(report.throughput),
    '',
    ...renderVerdict(report),
  ].join('\n')
}

function renderPhases(phases: readonly Phase[], route: string): string {
  const rows: string[][] = [['', ...phases.map(({ name }) => name)]]
  const add = (label: string, cell: (phase: Phase) => string | number) =>
    rows.push([label, ...phases.map((phase) => String(cell(phase)))])
  add('requests', ({ requests }) => requests)
  for (const outcome of outcomes) add(`  ${outcome}`, (phase) => phase.outcomes[outcome])
  add('latency of all, p50 / p99 / max ms', ({ latencyMs }) => renderSpread(latencyMs))
  add(`latency of ${route}, p50 / p99 / max ms`, ({ movingLatencyMs }) => renderSpread(movingLatencyMs))
  add('answered by', ({ answeredBy }) => renderCounts(answeredBy))
  add(`${route} answered by`, ({ movingAnsweredBy }) => renderCounts(movingAnsweredBy))
  return renderTable(rows)
}

function renderTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('   ')
  return rows.map(line).join('\n')
}

function renderSpread(spread: Spread | undefined | null): string {
  if (!spread) return '–'
  return [spread.p50, spread.p99, spread.max].map((ms) => ms.toFixed(ms < 10 ? 1 : 0)).join(' / ')
}

function renderCounts(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([name, count]) => `${name} ${count}`)
  return parts.length === 0 ? '–' : parts.sort().join(', ')
}

function renderBooks({ facts, findings, eitherSide, foreign, generator }: Report): string {
  const reached = findings.filter((finding) => finding.kind === 'lost' && finding.reached).length
  const lost = facts.lost > 0 ? ` (${reached} of them had reached a side and may have run)` : ''
  const lag = generator.lagMs
    ? ` at most ${generator.lagMs.max.toFixed(1)}, p99 ${generator.lagMs.p99.toFixed(1)}`
    : ' –'
  return [
    `ledgers     lost ${facts.lost}${lost}, doubled ${facts.doubled}, wrong side ${facts.wrongSide}`,
    `            ${eitherSide} requests were so near a flip that either side was right; ${foreign} ledger lines of others`,
    `generator   ms late:${lag}; not sent ${facts.unsent}; ${generator.connections} connections`,
  ].join('\n')
}

function renderFault({ fault }: Report): string[] {
  return fault ? [`fault       ${fault.kind}: ${fault.injected} requests were spoilt on purpose`] : []
}

function renderThroughput(throughput: readonly Throughput[]): string[] {
  return throughput.map(
    ({ target, requestsPerSecond, p50Ms, p99Ms, connections }) =>
      `throughput  ${requestsPerSecond} requests/s of ${target} on ${connections} connections, p50 ${p50Ms} p99 ${p99Ms} ms (autocannon; no evidence)`,
  )
}

function renderVerdict({ verdict, reasons, facts, findings, errors, settings }: Report): string[] {
  const summary = `${facts.requests} requests, ${facts.lost} lost, ${facts.doubled} doubled, ${facts.wrongSide} on the wrong side, ${facts.errors} errors`
  const ids = [...new Set([...findings, ...errors].map(({ id }) => id))].slice(0, shownIds)
  const log = settings.logFile === null ? '' : ` --log ${settings.logFile}`
  return [
    `${verdict.toUpperCase()}: ${summary}`,
    ...reasons.map((reason) => `  ${reason}`),
    ...(ids.length > 0
      ? [`  for example ${ids.join(' ')}`, `  npx banyan why ${ids[0]}${log} tells what the gateway knows`]
      : []),
  ]
}
