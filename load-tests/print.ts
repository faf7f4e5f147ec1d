// Figures as text, and a report as a file: the same for all scenarios.
// The danger it guards against: a figure that was not measured and reads as zero.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Spread } from './percentiles.ts'
import type { Phase } from './phases.ts'
import { outcomes } from './traffic.ts'

/** How many ids of a sort are printed; the file has all. */
export const shownIds = 5

/** How the client kept pace. */
export interface Sending {
  readonly lagMs: Spread | null
  readonly unsent: number
  readonly connections: number
}

export async function writeReport(file: string, report: object): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`)
}

/** @param route that moves, where there are other requests beside its own */
export function renderPhases(phases: readonly Phase[], route?: string): string {
  const rows: string[][] = [['', ...phases.map(({ name }) => name)]]
  const add = (label: string, cell: (phase: Phase) => string | number) =>
    rows.push([label, ...phases.map((phase) => String(cell(phase)))])
  add('requests', ({ requests }) => requests)
  for (const outcome of outcomes) add(`  ${outcome}`, (phase) => phase.outcomes[outcome])
  add('latency of all, p50 / p99 / max ms', ({ latencyMs }) => renderSpread(latencyMs))
  if (route !== undefined)
    add(`latency of ${route}, p50 / p99 / max ms`, ({ movingLatencyMs }) => renderSpread(movingLatencyMs))
  add('answered by', ({ answeredBy }) => renderCounts(answeredBy))
  if (route !== undefined) add(`${route} answered by`, ({ movingAnsweredBy }) => renderCounts(movingAnsweredBy))
  return renderTable(rows)
}

export function renderSending({ lagMs, unsent, connections }: Sending): string {
  const lag = lagMs ? ` at most ${lagMs.max.toFixed(1)}, p99 ${lagMs.p99.toFixed(1)}` : ' –'
  return `generator   ms late:${lag}; not sent ${unsent}; ${connections} connections`
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
