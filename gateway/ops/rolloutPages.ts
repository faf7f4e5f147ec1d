// What operators read of the rollouts: each of them, the history, and what an edit would do.
// The danger it guards against: a question that changes something. A plan is sent by POST for its size alone.
import type { FastifyInstance } from 'fastify'
import { durationMs } from '../config/schema.ts'
import type { Clock } from '../model.ts'
import type { Gateway } from './gateway.ts'
import { type Named, stateOf } from './orders.ts'
import { planOf } from './plan.ts'
import { sendProblem } from './problem.ts'
import { rolloutView } from './rolloutView.ts'

/** More than any routes.yaml, and no burden. */
const planBytes = 4 * 1024 * 1024
const mostRecords = 10_000

const read = { config: { role: 'read' } } as const

interface Options {
  readonly gateway: Gateway
  readonly clock: Clock
}

interface HistoryQuery {
  Querystring: { readonly since?: string; readonly rollout?: string; readonly limit?: string }
}

export async function rolloutPages(app: FastifyInstance, { gateway, clock }: Options): Promise<void> {
  app.get('/rollouts', read, async () => ({
    rollouts: gateway.rollouts.states().map((state) => rolloutView(state, gateway)),
  }))
  app.get<Named>('/rollouts/:key', read, async ({ params }, reply) => {
    const state = stateOf(params.key, gateway)
    if (typeof state === 'string') return sendProblem(reply, 404, 'Nothing of that name moves.', { detail: state })
    return rolloutView(state, gateway)
  })
  app.get<HistoryQuery>('/history', read, async ({ query }, reply) => {
    const since = query.since === undefined ? undefined : instantOf(query.since, clock.wall())
    const limit = Number(query.limit ?? 1_000)
    if (Number.isNaN(since)) return sendProblem(reply, 400, 'since is a duration such as 1h, or a time in ISO 8601.')
    if (!Number.isInteger(limit) || limit < 1 || limit > mostRecords)
      return sendProblem(reply, 400, `limit is a number from 1 to ${mostRecords}.`)
    return { records: await gateway.history({ since, limit, subject: subjectOf(query.rollout, gateway) }) }
  })
  await app.register(async (scope) => {
    // Whatever it is called: curl says that it is a form, fetch that it is plain text.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'string', bodyLimit: planBytes }, (_request, body, done) =>
      done(null, body),
    )
    scope.post('/plan', read, async ({ body }, reply) =>
      typeof body === 'string'
        ? planOf(body, gateway)
        : sendProblem(reply, 400, 'A plan is made of the text of a routes.yaml: send it as the body.'),
    )
  })
}

/** The key of that route's or group's rollout; of one that is gone the name itself. */
function subjectOf(name: string | undefined, gateway: Gateway): string | undefined {
  const state = name === undefined ? undefined : stateOf(name, gateway)
  return typeof state === 'object' ? state.rollout.key : name
}

/** Milliseconds since the epoch, not before it; NaN when it is neither `1h` nor ISO 8601. */
function instantOf(words: string, nowMs: number): number {
  return Math.max(0, /^\d{1,9}(ms|s|m|h|d)$/.test(words) ? nowMs - durationMs(words) : Date.parse(words))
}
