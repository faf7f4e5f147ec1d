// Keys of clients at the admin listener: issue, rotate, revoke, list, who uses one. The gateway that is asked is the one writer.
// The danger it guards against: a key that is told twice. It is in the one answer to who issued it, and nowhere else.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { durationMs } from '../config/schema.ts'
import { KeyRefusal } from '../state/keys/keyOrders.ts'
import type { Gateway } from './gateway.ts'
import { closeLeak } from './keyLeak.ts'
import { type KeyView, keyView, useView } from './keyView.ts'
import { operatorOf } from './operators.ts'
import { sendProblem } from './problem.ts'

interface Options {
  readonly gateway: Gateway
}

interface IssueBody {
  readonly by?: string
  readonly owner: string
  readonly scopes?: readonly string[]
  readonly routes?: readonly string[]
  readonly rate?: string
  readonly expires?: string
}

type OfKey = { Params: { id: string } }
type Reasoned = { Body: { readonly by?: string; readonly reason: string } }

const text = { type: 'string', minLength: 1, maxLength: 128, pattern: '^[^\\u0000-\\u001f\\u007f]+$' }
// RFC 6749 §3.3.
const scope = { type: 'string', pattern: '^[\\x21\\x23-\\x5B\\x5D-\\x7E]{1,128}$' }
const by = { type: 'string', minLength: 1, maxLength: 64 }
const issueBody = {
  by,
  owner: text,
  scopes: { type: 'array', items: scope, maxItems: 64, uniqueItems: true },
  routes: { type: 'array', items: text, minItems: 1, maxItems: 256, uniqueItems: true },
  rate: { type: 'string', pattern: '^[1-9][0-9]{0,8}/(s|min|h|d)$' },
  expires: { type: 'string', pattern: '^[1-9][0-9]{0,8}(ms|s|m|h|d)$' },
}

const bodyOf = (properties: object, required: readonly string[]) => ({
  config: { role: 'keys' } as const,
  schema: { body: { type: 'object', additionalProperties: false, required, properties } },
})
const reasoned = bodyOf({ by, reason: { type: 'string', minLength: 1, maxLength: 500 } }, ['reason'])
const read = { config: { role: 'keys' } } as const

export async function keyPages(app: FastifyInstance, { gateway }: Options): Promise<void> {
  const { keys } = gateway
  // A rotation needs no words.
  app.addHook('preValidation', async (request) => {
    request.body ??= {}
  })
  app.get('/keys', read, async () => ({ policy: policyOf(gateway), keys: viewsOf(gateway) }))
  app.get<OfKey>('/keys/:id/uses', read, async ({ params }, reply) => {
    const key = viewOf(params.id, gateway)
    if (!key) return sendProblem(reply, 404, 'There is no such key.', { remedy: 'banyan keys list names them.' })
    return { key, uses: (await keys.usesOf(params.id)).map(useView) }
  })
  app.post<{ Body: IssueBody }>('/keys', bodyOf(issueBody, ['owner']), async (request, reply) => {
    const { owner, scopes = [], routes, rate, expires } = request.body
    const unknown = unknownRoutes(routes ?? [], gateway)
    if (unknown) return refuse(reply, new KeyRefusal(unknown))
    const wish = {
      ...{ owner, scopes },
      ...(routes && { routes }),
      ...(rate !== undefined && { rate }),
      ...(expires !== undefined && { expiresInMs: durationMs(expires) }),
    }
    return orRefuse(reply, async () => {
      const { key, record } = await keys.issue(wish, whoAsks(request))
      return reply.code(201).send({ key, ...viewOf(record.id, gateway) })
    })
  })
  app.post<OfKey & { Body: { by?: string } }>('/keys/:id/rotate', bodyOf({ by }, []), async (request, reply) =>
    orRefuse(reply, async () => {
      const { key, record, before } = await keys.rotate(request.params.id, whoAsks(request))
      return reply.code(201).send({ key, ...viewOf(record.id, gateway), replaces: viewOf(before.id, gateway) })
    }),
  )
  app.post<OfKey & Reasoned>('/keys/:id/revoke', reasoned, async (request, reply) =>
    orRefuse(reply, async () => {
      const { id } = request.params
      const missing = await keys.revoke(id, { by: whoAsks(request), reason: request.body.reason })
      return sendConfirmed(reply, missing, viewOf(id, gateway))
    }),
  )
  addLeak(app, gateway)
  app.post<Reasoned>('/keys/adopt', reasoned, async (request, reply) =>
    orRefuse(reply, async () => {
      const dropped = await keys.adopt({ by: whoAsks(request), reason: request.body.reason })
      return reply.send({ dropped })
    }),
  )
}

const leakBody = {
  by,
  reason: { type: 'string', minLength: 1, maxLength: 500 },
  keys: { type: 'array', items: { type: 'string', maxLength: 128 }, minItems: 1, maxItems: 1_000 },
}

function addLeak(app: FastifyInstance, gateway: Gateway): void {
  type Leaking = { Body: { readonly by?: string; readonly reason?: string; readonly keys: readonly string[] } }
  app.post<Leaking>('/keys/leak', bodyOf(leakBody, ['keys']), async (request, reply) =>
    orRefuse(reply, async () => {
      const { reason = 'it leaked', keys } = request.body
      const leak = await closeLeak(keys.join('\n'), { by: whoAsks(request), reason }, gateway)
      return sendConfirmed(reply, [...new Set(leak.keys.flatMap(({ missing }) => missing))], leak)
    }),
  )
}

function whoAsks(request: FastifyRequest): string {
  return operatorOf(request, (request.body as { by?: string }).by)
}

function viewsOf({ keys }: Gateway): readonly KeyView[] {
  return keys.sights().map((sight) => keyView(sight, keys.policy()))
}

function viewOf(id: string, gateway: Gateway): KeyView | undefined {
  return viewsOf(gateway).find((view) => view.id === id)
}

function policyOf({ keys }: Gateway) {
  const { env, maxAgeMs, warnMs, overlapMs, staleAfterMs } = keys.policy()
  return { env, maxAgeMs, warnMs, overlapMs, staleAfterMs }
}

function unknownRoutes(names: readonly string[], gateway: Gateway): string | undefined {
  const known = gateway.snapshot()?.routes.map(({ name }) => name) ?? []
  const unknown = names.filter((name) => !known.includes(name))
  return unknown.length > 0 ? `no route is called ${unknown.join(', ')}; the routes are ${known.join(', ')}` : undefined
}

/** Once all replicas have it; else names those that may not. */
export function sendConfirmed(reply: FastifyReply, missing: readonly string[], body: object = {}): FastifyReply {
  if (missing.length === 0) return reply.send(body)
  const detail = `not confirmed by ${missing.join(', ')}; to be certain, name it under denyKeys in their break-glass.yaml`
  return sendProblem(reply, 504, 'This is in effect here, and may not be at other replicas.', {
    ...body,
    detail,
    missing,
  })
}

async function orRefuse(reply: FastifyReply, order: () => Promise<FastifyReply>): Promise<FastifyReply> {
  try {
    return await order()
  } catch (thrown) {
    return refuse(reply, thrown)
  }
}

function refuse(reply: FastifyReply, thrown: unknown): FastifyReply {
  if (thrown instanceof KeyRefusal) return sendProblem(reply, 409, 'The order is refused.', { detail: thrown.message })
  // What is ordered takes effect before it is written down.
  const title = 'This is in effect, but not written down: a restart may forget it.'
  return sendProblem(reply, 500, title, { detail: String(thrown) })
}
