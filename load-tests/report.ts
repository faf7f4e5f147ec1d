// What a cutover leaves behind: a table for people and a JSON file for everything else.
// The danger it guards against: a verdict without what it rests on. Ids of what went wrong are in it, to look them up.
import type { Balance } from './balance.ts'
import type { FaultKind } from './fault.ts'
import { renderPhases, renderSending, type Sending, shownIds } from './print.ts'
import type { Throughput } from './throughput.ts'
import type { SentRequest } from './traffic.ts'
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
  readonly generator: Sending
  readonly requestsByKind: Readonly<Record<string, number>>
  /** What was spoilt on purpose; `ids` are all of it. */
  readonly fault: { readonly kind: FaultKind; readonly injected: number; readonly ids: readonly string[] } | null
  readonly findings: Balance['findings']
  /** Every request whose outcome was not ok. */
  readonly errors: readonly SentRequest[]
  /** Not evidence. */
  readonly throughput: readonly Throughput[]
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

function renderBooks({ facts, findings, eitherSide, foreign, generator }: Report): string {
  const reached = findings.filter((finding) => finding.kind === 'lost' && finding.reached).length
  const lost = facts.lost > 0 ? ` (${reached} of them had reached a side and may have run)` : ''
  return [
    `ledgers     lost ${facts.lost}${lost}, doubled ${facts.doubled}, wrong side ${facts.wrongSide}`,
    `            ${eitherSide} requests were so near a flip that either side was right; ${foreign} ledger lines of others`,
    renderSending(generator),
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
