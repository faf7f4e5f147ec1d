// Answers from stock what RFC 9111 lets a shared cache answer, and stores what it lets it store; what a write may have changed is
// forgotten. The danger it guards against: one client's answer that is given to another.
import { type Static, Type } from 'typebox'
import { isForCache } from '../caching/eligible.ts'
import { basisPoints, Duration, durationMs, Share } from '../config/schema.ts'
import { asFailure } from '../errors.ts'
import { type Configuring, filterKind } from '../filter.ts'
import type { Caches } from '../model/ports.ts'
import type { CacheRules, Exchange, Next } from '../model.ts'
import { isSafe } from '../rollout/writes.ts'

const schema = Type.Object(
  {
    fresh: Type.Optional(
      Duration({
        description:
          'How long an answer may be given again of which its origin says nothing (200, 203, 204, 300, 301, 308).',
      }),
    ),
    heuristic: Type.Optional(
      Share({
        description:
          'The same for answers with Last-Modified: this share of their age, a day at most (RFC 9111 §4.2.2); goes before `fresh`.',
      }),
    ),
    staleWhileRevalidate: Type.Optional(
      Duration({
        description:
          'How long a stale answer is given while the upstream is asked behind it (RFC 5861), unless its origin says otherwise.',
      }),
    ),
    staleIfError: Type.Optional(
      Duration({
        description:
          'How long a stale answer is given while the upstream fails (RFC 5861), unless its origin says otherwise.',
      }),
    ),
    per: Type.Optional(
      Type.Literal('identity', {
        description:
          'Each identity (Authorization, X-Api-Key, the `sessionCookie`) has a stock of its own. Absent: what is asked for with one of them is stored only where the answer says public, must-revalidate or s-maxage.',
      }),
    ),
    negative: Type.Optional(
      Type.Record(Type.String({ pattern: '^[45][0-9]{2}$' }), Duration({ description: 'For that status.' }), {
        minProperties: 1,
        description: 'How long an error may be given again of which its origin says nothing, by status.',
      }),
    ),
    tags: Type.Optional(
      Type.Array(
        Type.String({
          pattern: '^[!-+\\--~]{1,128}$',
          title: 'a name without spaces and commas, 128 characters at most',
          description: 'A name.',
        }),
        {
          minItems: 1,
          maxItems: 16,
          description:
            'Names by which its answers can be purged (`banyan cache purge --tag`), beside those that origins give in Cache-Tag and Surrogate-Key.',
        },
      ),
    ),
    status: Type.Boolean({
      default: false,
      description: 'Whether answers say what the cache did, in Cache-Status (RFC 9211).',
    }),
  },
  {
    additionalProperties: false,
    description:
      'Gives answers to GET and HEAD again, as RFC 9111 lets a shared cache. Its keys speak where the origin is silent, never against it.',
  },
)

export const cache = filterKind({
  name: 'cache',
  sections: { cache: { at: 'route', schema } },
  configure({ cache }, context) {
    const { route, sessionCookie } = context
    if (!cache) return forgetting(context)
    checkMethods(context)
    if (!cache.per && route.auth) context.warn(['cache'], somebodys)
    else if (sessionCookie === undefined && !cache.per) context.warn(['cache'], anyCookie)
    const rules = rulesOf(cache, sessionCookie)
    return {
      does: `gives answers again${cache.per ? ', to the same identity' : ''}${cache.fresh ? `, for ${cache.fresh} where ${route.upstream.name} does not say` : ''}`,
      bind: ({ caches }) =>
        function cache(exchange, next) {
          if (isForCache(exchange)) return caches.answer(exchange, next, rules)
          return isSafe(exchange.method) ? next(exchange) : writing(caches, exchange, next)
        },
    }
  },
})

const somebodys =
  'with auth each answer is for somebody: those are not stored that do not say public, must-revalidate or s-maxage (RFC 9111 §3.5); add per: identity to store them for each client'

const anyCookie =
  'without a sessionCookie at the top of the file any cookie may be a session: answers to requests with a cookie are given to nobody else unless they say public, must-revalidate or s-maxage'

/** A write may go through another Route than the reads of what it changes. */
function forgetting({ route, isOnAnyRoute }: Configuring) {
  if (!isOnAnyRoute('cache') || route.match.methods?.every(isSafe)) return undefined
  return {
    does: 'lets the cache forget what is written to',
    bind: ({ caches }: { caches: Caches }) =>
      function cache(exchange: Exchange, next: Next) {
        return isSafe(exchange.method) ? next(exchange) : writing(caches, exchange, next)
      },
  }
}

function checkMethods({ route, problem }: Configuring): void {
  const { methods } = route.match
  if (methods && !methods.includes('GET'))
    problem(['cache'], 'only answers to GET are stored, and the route does not take it; remove "cache"')
}

function rulesOf(keys: Static<typeof schema>, sessionCookie: string | undefined): CacheRules {
  const { fresh, heuristic, staleWhileRevalidate, staleIfError, per, negative = {}, tags, status } = keys
  return {
    ...(fresh !== undefined && { freshMs: durationMs(fresh) }),
    ...(heuristic !== undefined && { heuristicShare: basisPoints(heuristic) / 10_000 }),
    ...(staleWhileRevalidate !== undefined && { staleWhileRevalidateMs: durationMs(staleWhileRevalidate) }),
    ...(staleIfError !== undefined && { staleIfErrorMs: durationMs(staleIfError) }),
    negativeMs: new Map(Object.entries(negative).map(([code, text]) => [Number(code), durationMs(text)])),
    ...(tags !== undefined && { tags }),
    isPerIdentity: per === 'identity',
    saysStatus: status,
    ...(sessionCookie !== undefined && { sessionCookie }),
  }
}

/** Before the client sees of it: his next request may come at once. Of a failure nobody knows what it has changed. */
async function writing(caches: Caches, exchange: Exchange, next: Next) {
  try {
    const answer = await next(exchange)
    if (answer.status < 400) await caches.invalidate(exchange, answer.fields)
    return answer
  } catch (thrown) {
    if (asFailure(thrown).mayHaveRun) await caches.invalidate(exchange, undefined)
    throw thrown
  }
}
