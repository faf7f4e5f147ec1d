// What operators see of the cache, and how they have something in it forgotten.
// The danger it guards against: a purge that meant something and met nothing, because a name was mistyped; nobody hears of it then.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { noFields } from '../message/fields.ts'
import type { Snapshot } from '../model.ts'
import type { Purge } from '../state/caches.ts'
import type { CacheResult, Purger } from '../state/caching/counts.ts'
import type { FarCounts } from '../state/caching/tierCounts.ts'
import type { Gateway } from './gateway.ts'
import { operatorOf } from './operators.ts'
import { sendProblem } from './problem.ts'

export interface CacheView {
  /** Requests of each cached route since the start, by what became of them. */
  readonly routes: readonly (Readonly<Record<CacheResult, number>> & { readonly route: string })[]
  readonly memory: { readonly keys: number; readonly bytes: number; readonly hit: number; readonly miss: number }
  /** Absent with `store.cache: "memory:"`. */
  readonly redis?: FarCounts & {
    /** Tags of purges that other replicas have not heard of yet. */
    readonly owed: number
    /** Since when in ISO 8601. */
    readonly store: { readonly is: 'up' | 'down'; readonly since: string; readonly why?: string }
  }
  readonly purges: Readonly<Record<Purger, number>>
}

export interface PurgeView {
  /** `route search`, `tag price-list`, `path /api/search`. */
  readonly purged: string
  /** Keys that something lay under in this process. */
  readonly keys: number
}

interface Order {
  readonly by?: string
  readonly reason?: string
  readonly route?: string
  readonly tag?: string
  readonly path?: string
}

type Asking = FastifyRequest<{ Body: Order }>

const text = (maxLength: number) => ({ type: 'string', minLength: 1, maxLength })
const properties = { by: text(64), reason: text(500), route: text(63), tag: text(128), path: text(4096) }
const purgeOptions = {
  schema: { body: { type: 'object', additionalProperties: false, properties } },
  config: { role: 'operate' },
} as const

export async function cachePages(app: FastifyInstance, { gateway }: { readonly gateway: Gateway }): Promise<void> {
  app.get('/cache/stats', { config: { role: 'read' } }, async () => cacheView(gateway))
  app.post('/cache/purge', purgeOptions, (request: Asking, reply) => purge(request, reply, gateway))
}

async function purge(request: Asking, reply: FastifyReply, gateway: Gateway): Promise<FastifyReply> {
  const what = purgeOf(request.body, gateway.snapshot())
  if (typeof what === 'string') return sendProblem(reply, 400, 'This names nothing to purge.', { detail: what })
  if (what.kind === 'route' && !isRoute(what.route, gateway))
    return sendProblem(reply, 404, 'No route has that name.', { detail: `the routes are ${namesOf(gateway)}` })
  const { keys, isTold } = await gateway.caches.purge(what)
  const purged = wordsOf(what)
  const { by, reason = 'asked for by hand' } = request.body
  const entry = { kind: 'purge', by: operatorOf(request, by), subject: purged, reason, evidence: { keys, isTold } }
  gateway.record.audit(entry, 'cache purged')
  if (isTold) return reply.send({ purged, keys } satisfies PurgeView)
  return sendProblem(reply, 504, 'This is purged here, and not yet at other replicas.', {
    purged,
    keys,
    detail: `the cache store does not take it (${gateway.caches.far()?.store.why ?? 'no answer'}); it is told until it does`,
  })
}

/** @returns a sentence when it is not one of the three */
function purgeOf({ route, tag, path }: Order, snapshot: Snapshot | undefined): Purge | string {
  const given = [route, tag, path].filter((one) => one !== undefined)
  if (given.length !== 1) return 'say one of route, tag and path'
  if (route !== undefined) return { kind: 'route', route }
  if (tag !== undefined) return { kind: 'tag', tag }
  if (path === undefined || !path.startsWith('/') || /[?#]/.test(path))
    return 'a path begins with a slash and has no query: it is purged with any'
  if (path.endsWith('/*')) return 'it is one path that is purged; for many say the route, or a tag'
  return { kind: 'path', path: snapshot?.match({ method: 'GET', target: path, fields: noFields }).path ?? path }
}

function isRoute(name: string, gateway: Gateway): boolean {
  return gateway.snapshot()?.routes.some((route) => route.name === name) ?? false
}

function namesOf(gateway: Gateway): string {
  return (
    gateway
      .snapshot()
      ?.routes.map(({ name }) => name)
      .join(', ') || 'none'
  )
}

function wordsOf(what: Purge): string {
  switch (what.kind) {
    case 'route':
      return `route ${what.route}`
    case 'tag':
      return `tag ${what.tag}`
    case 'path':
      return `path ${what.path}`
  }
}

function cacheView({ caches }: Gateway): CacheView {
  const far = caches.far()
  return {
    routes: [...caches.counts()].map(([route, counts]) => ({ route, ...counts })),
    memory: caches.near(),
    ...(far && { redis: { ...far, store: { ...far.store, since: new Date(far.store.since).toISOString() } } }),
    purges: caches.purges(),
  }
}
