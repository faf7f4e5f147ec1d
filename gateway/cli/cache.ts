// banyan cache: what the cache gives and holds, and having something in it asked for anew.
// The danger it guards against: a purge that one replica obeys, taken for one that all have.
import type { CacheView, PurgeView } from '../ops/caching.ts'
import { type Ask, asking, askingOptions, type Telling, tell } from './askAdmin.ts'
import { type Command, type Given, type Option, UsageError } from './command.ts'
import { reasonOption } from './order.ts'
import { table } from './table.ts'

const named = (value: string, help: string): Option => ({ type: 'string', value, help })

export const cache: Command = {
  name: 'cache',
  operands: 'purge | stats',
  count: [1, 1],
  summary: 'Has answers in stock asked for anew, at all replicas; or says what the cache gives and holds.',
  options: {
    route: named('ROUTE', 'purge all answers of that route'),
    tag: named('TAG', 'purge what Cache-Tag, Surrogate-Key or cache.tags calls so'),
    path: named('PATH', 'purge that path, of all hosts and with any query'),
    reason: reasonOption,
    ...askingOptions,
  },
  run: asking((ask, telling) => {
    const [what] = telling.given.operands
    if (what === 'purge') return purge(ask, telling)
    if (what === 'stats') return stats(ask, telling)
    throw new UsageError(`banyan cache takes purge or stats, not ${what}`)
  }),
}

const purgers = ['route', 'tag', 'path'] as const

async function purge(ask: Ask, telling: Telling): Promise<number> {
  const { given } = telling
  if (givenOf(given).length !== 1) throw new UsageError('banyan cache purge takes one of --route, --tag and --path')
  const order = Object.fromEntries(givenOf(given).map((name) => [name, given.value(name)]))
  const answered = await ask.post<PurgeView>('/cache/purge', { ...order, reason: given.value('reason') })
  return tell(answered, telling, ({ purged, keys }) => `${purged} is purged; ${keys} keys lay in this gateway`)
}

async function stats(ask: Ask, telling: Telling): Promise<number> {
  const { given } = telling
  if (givenOf(given).length > 0) throw new UsageError('banyan cache stats takes no --route, --tag or --path')
  return tell(await ask.get<CacheView>('/cache/stats'), telling, textOf)
}

const givenOf = (given: Given) => purgers.filter((name) => given.value(name) !== undefined)

function textOf(found: CacheView): string {
  const { routes, memory, purges } = found
  const rows = routes.map(({ route, hit, stale, revalidated, collapsed, miss, passed }) =>
    [route, hit, stale, revalidated, collapsed, miss, passed].map(String),
  )
  return [
    table([['ROUTE', 'HIT', 'STALE', 'REVALIDATED', 'COLLAPSED', 'MISS', 'PASSED'], ...rows]),
    '',
    `memory: ${memory.keys} keys, ${(memory.bytes / 2 ** 20).toFixed(1)} MiB; ${memory.hit} hits, ${memory.miss} misses`,
    ...redisLines(found.redis),
    `purges: ${purges.order} ordered here, ${purges.write} by writes here, ${purges.log} heard of from all replicas`,
  ].join('\n')
}

function redisLines(redis: CacheView['redis']): readonly string[] {
  if (!redis) return ['redis: none; store.cache is "memory:"']
  const { store, looks, puts, waitedMs, owed } = redis
  const asked = looks.hit + looks.miss + looks.late + looks.failed
  const meanMs = asked > 0 ? (waitedMs / asked).toFixed(1) : '0'
  return [
    `redis: ${store.is} since ${store.since}${store.why === undefined ? '' : ` (${store.why})`}`,
    `  ${looks.hit} hits, ${looks.miss} misses, ${looks.late} late, ${looks.failed} failed, ${looks.away} not asked; ${meanMs} ms a look`,
    `  ${puts.stored} stored, ${puts.void} void before they were, ${puts.failed} not taken`,
    ...(owed > 0 ? [`  ${owed} purges that other replicas have not heard of yet`] : []),
  ]
}
