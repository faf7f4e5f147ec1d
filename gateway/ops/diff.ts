// What `GET /diff/ROUTE` and `banyan diff` say: what the comparisons of a Route have come to.
// The danger it guards against: somebody who looks at what clients were answered, and nobody knows who. Values are redacted before
// they come here, and each look at examples is a record of the audit.
import type { FastifyInstance } from 'fastify'
import type { RouteComparisons } from '../state/comparisonRecord.ts'
import type { Gateway } from './gateway.ts'
import { operatorOf } from './operators.ts'
import { sendProblem } from './problem.ts'

export interface DiffExample extends Omit<RouteComparisons['examples'][number], 'at'> {
  /** ISO 8601. */
  readonly at: string
}

export interface DiffView extends Omit<RouteComparisons, 'since' | 'examples'> {
  readonly route: string
  /** ISO 8601; nothing before it is counted. Undefined before the first. */
  readonly since?: string
  readonly exampleCount: number
  /** Absent when they were not asked for. */
  readonly examples?: readonly DiffExample[]
}

const nothing: Omit<RouteComparisons, 'since'> = {
  compared: 0,
  same: 0,
  ignored: 0,
  notCompared: {},
  loginsDropped: { legs: 0, answers: 0 },
  paths: [],
  examples: [],
}

interface Asked {
  Params: { readonly route: string }
  Querystring: { readonly examples?: string }
}

export async function diffPage(app: FastifyInstance, { gateway }: { readonly gateway: Gateway }): Promise<void> {
  app.get<Asked>('/diff/:route', { config: { role: 'diff' } }, async (request, reply) => {
    const { params, query } = request
    const { route } = params
    const moves = gateway.snapshot()?.routes.filter(({ move }) => move) ?? []
    if (!moves.some(({ name }) => name === route)) {
      const names = moves.map(({ name }) => name).join(', ') || 'none'
      return sendProblem(reply, 404, 'No route of that name moves.', { detail: `those that do are ${names}` })
    }
    const known = gateway.comparisonsOf(route)
    const areShown = query.examples !== 'no'
    if (areShown && known && known.examples.length > 0) {
      const look = {
        kind: 'look',
        by: operatorOf(request),
        subject: route,
        evidence: { examples: known.examples.length },
      }
      gateway.record.audit(look, 'examples shown')
    }
    return diffView(route, known, areShown)
  })
}

function diffView(route: string, known: RouteComparisons | undefined, areShown: boolean): DiffView {
  const { examples, ...counts } = known ?? nothing
  return {
    route,
    ...counts,
    ...(known && { since: isoOf(known.since) }),
    exampleCount: examples.length,
    ...(areShown && { examples: examples.map((example) => ({ ...example, at: isoOf(example.at) })) }),
  } as DiffView
}

function isoOf(wallMs: number): string {
  return new Date(wallMs).toISOString()
}
