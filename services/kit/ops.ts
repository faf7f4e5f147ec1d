// The operator's endpoints, the same on all three systems: health, counters, ledger, faults.
// The danger it guards against: evidence that the observed requests can change; so these are neither ledgered nor faulted.
import { type Faults, noFaults, readFaults } from './faults.ts'
import type { Ledger } from './ledger.ts'
import { endpoint, routerOf } from './router.ts'
import { numberOf, Refusal, readJson, sendJson, sendText, type Visit } from './visit.ts'

/** What one system counts. */
export interface Counts {
  inFlight: number
  /** Answers by the first digit of their status. */
  readonly answers: Record<string, number>
  aborted: number
}

export interface Observed {
  readonly ledger: Ledger
  readonly faults: Faults
  readonly counts: Counts
}

export function isOperators(path: string): boolean {
  return path === '/healthz' || path.startsWith('/_ops/')
}

export function operatorEndpoints({ ledger, faults, counts }: Observed): (visit: Visit) => void | Promise<void> {
  return routerOf([
    endpoint('GET', '/healthz', (visit) => sendJson(visit, 200, { status: 'ok' })),
    endpoint('GET', '/_ops/metrics', (visit) => sendText(visit, 200, metricsOf(visit, { ledger, faults, counts }))),
    endpoint('GET', '/_ops/ledger', (visit) => {
      const after = numberOf(visit.query, 'after', [0, Number.MAX_SAFE_INTEGER]) ?? 0
      const limit = numberOf(visit.query, 'limit', [1, 100_000]) ?? 1000
      sendJson(visit, 200, { service: visit.service, ...ledger.read(after, limit) })
    }),
    endpoint('DELETE', '/_ops/ledger', (visit) => {
      ledger.empty()
      visit.response.writeHead(204).end()
    }),
    endpoint('GET', '/_ops/faults', (visit) => sendJson(visit, 200, faults.settings)),
    endpoint('PUT', '/_ops/faults', async (visit) => {
      const settings = readFaults(await readJson(visit))
      if (typeof settings === 'string') throw new Refusal(400, settings)
      faults.set(settings)
      sendJson(visit, 200, settings)
    }),
    endpoint('DELETE', '/_ops/faults', (visit) => {
      faults.set(noFaults)
      visit.response.writeHead(204).end()
    }),
  ])
}

/** The Prometheus text format. */
function metricsOf({ service }: Visit, { ledger, faults, counts }: Observed): string {
  const line = (name: string, labels: string, value: number) =>
    `freight_${name}{service="${service}"${labels}} ${value}`
  return [
    ...Object.entries(counts.answers).map(([status, count]) => line('answers_total', `,status="${status}"`, count)),
    line('aborted_total', '', counts.aborted),
    line('in_flight', '', counts.inFlight),
    line('ledger_entries', '', ledger.size),
    ...Object.entries(faults.injected).map(([kind, count]) => line('faults_total', `,kind="${kind}"`, count)),
    '',
  ].join('\n')
}
