// The figures of one scenario for people: medians over the rounds, and ratios with their spread. Pure.
// The danger it guards against: a ratio of two medians from different moments. Each ratio is taken within a round first.
import type { Failed, Measured, Row } from './run.ts'

/** Whom all are compared with, by CPU per request. */
const references = ['nginx', 'caddy', '@fastify/http-proxy', 'banyan-route']

/** A proxy that left more of its core unused was waiting for the load, not the load for it. */
const busyShare = 0.9

interface ExtraColumn {
  readonly head: string
  /** Undefined in scenarios that have no such figure. */
  of(row: Measured): number | undefined
}

const extraColumns: readonly ExtraColumn[] = [
  {
    head: 'KB/idle connection',
    of: ({ rssBytesPerConnection }) => rssBytesPerConnection && rssBytesPerConnection / 1000,
  },
  { head: 'load late ms', of: ({ lagP99Ms }) => lagP99Ms },
]

/** @param rows of one scenario */
export function renderTable(rows: readonly Row[]): string {
  const measured = rows.filter((row) => !isFailed(row))
  const proxies = [...new Set(rows.map(({ proxy }) => proxy))]
  const compared = references.filter((name) => measured.some(({ proxy }) => proxy === name))
  const extras = extraColumns.filter(({ of }) => measured.some((row) => of(row) !== undefined))
  const heads = [
    ...['', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs/request', 'core', 'RSS MB'],
    ...extras.map(({ head }) => head),
    ...compared.map((name) => `CPU ÷ ${name}`),
  ]
  const lines = proxies.map((proxy) => {
    const own = measured.filter((row) => row.proxy === proxy)
    const ratios = compared.map((name) =>
      ratioText(
        own,
        measured.filter((row) => row.proxy === name),
      ),
    )
    return [proxy, ...figureTexts(own, extras), ...ratios]
  })
  return [aligned([heads, ...lines]), ...failureLines(rows), ...waitingLines(measured)].join('\n')
}

function isFailed(row: Row): row is Failed {
  return 'failure' in row
}

function figureTexts(own: readonly Measured[], extras: readonly ExtraColumn[]): string[] {
  if (own.length === 0) return ['failed', '', '', '', '', '', ...extras.map(() => '')]
  const middle = (figure: (row: Measured) => number) => median(own.map(figure))
  return [
    middle((row) => row.requestsPerSecond).toFixed(0),
    middle((row) => row.p50Ms).toFixed(2),
    middle((row) => row.p99Ms).toFixed(2),
    middle((row) => row.cpuMicrosPerRequest).toFixed(1),
    `${(100 * middle(coreShare)).toFixed(0)}%`,
    (middle((row) => row.rssBytes) / 1e6).toFixed(0),
    ...extras.map(({ of }) => middle((row) => of(row) ?? Number.NaN).toFixed(1)),
  ]
}

/** How much of its one core the proxy used. */
function coreShare({ cpuMicrosPerRequest, requestsPerSecond }: Measured): number {
  return (cpuMicrosPerRequest * requestsPerSecond) / 1e6
}

function ratioText(own: readonly Measured[], reference: readonly Measured[]): string {
  const ratios = own.flatMap(({ round, cpuMicrosPerRequest }) => {
    const other = reference.find((row) => row.round === round)
    return other ? [cpuMicrosPerRequest / other.cpuMicrosPerRequest] : []
  })
  if (ratios.length === 0) return '–'
  return `${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)})`
}

function failureLines(rows: readonly Row[]): string[] {
  return rows.filter(isFailed).map(({ proxy, round, failure }) => `FAILED ${proxy}, round ${round}: ${failure}`)
}

/** Said of closed loops only: at a fixed rate nobody is meant to use up a core. */
function waitingLines(measured: readonly Measured[]): string[] {
  const names = measured
    .filter((row) => row.scenario !== 'rate' && coreShare(row) < busyShare)
    .map(({ proxy }) => proxy)
  if (names.length === 0) return []
  const list = [...new Set(names)].join(', ')
  return [`not at their limit in some round, so that requests/s are the load side's or the machine's: ${list}`]
}

/** @param values at least one; of an even number the mean of the two in the middle */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const low = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  const high = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  return (low + high) / 2
}

/** The first column to the left, the others to the right. */
function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  return lines
    .map((line) => line.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))))
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n')
}
