// What operators order of the cache, and see of it: at the admin listener, and by the command.
import { expect, test } from 'vitest'
import { newFolder } from '../cli/banyan.ts'
import type { TestGateway } from '../harness/gateway.ts'
import { counting, startCounted } from '../journey/caching.ts'
import { ask, purge, startCachingFleet } from '../journey/cachingFleet.ts'
import { adminOf, until } from '../state/store/stores.ts'

const folder = await newFolder()
const fresh = { 'Cache-Control': 'max-age=1000' }

async function startOne() {
  const origin = await startCounted(counting(fresh))
  const { redis, replicas } = await startCachingFleet(origin, { size: 1 })
  const [gateway] = replicas as [TestGateway]
  const banyan = (...args: string[]) => folder.banyan([...args, '--admin', gateway.adminUrl], { env: { USER: 'ada' } })
  return { gateway, redis, banyan }
}

const get = async ({ adminUrl }: TestGateway, path: string) => (await fetch(adminUrl + path)).json()

test('a purge is in the audit with who, what and why, and nothing of a query is in it', async () => {
  const { gateway } = await startOne()
  await ask(gateway, '/c/a?token=geheim')
  const order = { path: '/c/%61', reason: 'the price was wrong', by: 'ops:eve' }
  expect(await purge(gateway, order)).toEqual({ status: 200, body: { purged: 'path /c/a', keys: 1 } })
  const purges = async () => {
    const { records } = (await get(gateway, '/history')) as { records: { kind: string }[] }
    return records.filter(({ kind }) => kind === 'purge')
  }
  await until(async () => (await purges()).length === 1)
  expect(await purges()).toMatchObject([
    {
      by: 'ops:eve',
      subject: 'path /c/a',
      reason: 'the price was wrong',
      evidence: { keys: 1, isTold: true },
    },
  ])
  expect(await gateway.line(({ msg }) => msg === 'cache purged')).toMatchObject({ subject: 'path /c/a', by: 'ops:eve' })
  expect(JSON.stringify(await gateway.log())).not.toContain('geheim')
})

test.each<[object, number, RegExp]>([
  [{}, 400, /one of route, tag and path/],
  [{ route: 'c', tag: 'x' }, 400, /one of route, tag and path/],
  [{ route: 'cc' }, 404, /the routes are c, d/],
  [{ path: '/c/a?b=1' }, 400, /has no query/],
  [{ path: 'c/a' }, 400, /begins with a slash/],
  [{ path: '/c/*' }, 400, /for many say the route, or a tag/],
  [{ uri: '/c/a' }, 400, /additional properties/],
])('a purge of %j is refused with %i', async (what, status, words) => {
  const origin = await startCounted(counting(fresh))
  const { replicas } = await startCachingFleet(origin, { size: 1 })
  const refused = await purge(replicas[0] as TestGateway, what)
  expect(refused.status).toBe(status)
  expect(JSON.stringify(refused.body)).toMatch(words)
})

test('banyan cache purges, says what it did, and counts it', async () => {
  const { gateway, banyan } = await startOne()
  await ask(gateway, '/d/a')
  await ask(gateway, '/d/a')
  const { code, out } = await banyan('cache', 'purge', '--tag', 'of-file', '--reason', 'a test')
  expect([code, out]).toEqual([0, 'tag of-file is purged; 1 keys lay in this gateway\n'])
  const stats = await banyan('cache', 'stats')
  expect(stats.code).toBe(0)
  expect(stats.out).toMatch(/^d +1 +0 +0 +0 +1 +0$/m)
  expect(stats.out).toMatch(/^memory: 0 keys, 0\.0 MiB; 1 hits, 1 misses$/m)
  expect(stats.out).toMatch(/^redis: up since 20/m)
  expect(stats.out).toMatch(/^purges: 1 ordered here, 0 by writes here/m)
  const { out: json } = await banyan('cache', 'stats', '--json')
  expect(JSON.parse(json)).toEqual(await get(gateway, '/cache/stats'))
  expect(JSON.parse(json)).toMatchObject({ routes: [{ route: 'd', hit: 1, miss: 1 }], redis: { owed: 0 } })
})

test('banyan cache exits 3 while other replicas have not heard of it, 1 when refused, 2 when mistyped', async () => {
  const { redis, gateway, banyan } = await startOne()
  const admin = adminOf(redis)
  await admin.config('SET', 'maxmemory', '1')
  const kept = await banyan('cache', 'purge', '--route', 'c')
  expect([kept.code, kept.err]).toEqual([
    3,
    expect.stringMatching(/purged here, and not yet at other replicas.*until it does/),
  ])
  expect(await gateway.metric('banyan_cache_purges_owed')).toBe(1)
  expect((await banyan('cache', 'stats')).out).toMatch(/1 purges that other replicas have not heard of yet/)
  await admin.config('SET', 'maxmemory', '0')
  await until(async () => (await gateway.metric('banyan_cache_purges_owed')) === 0)
  expect((await banyan('cache', 'purge', '--route', 'x')).code).toBe(1)
  const mistyped = [['purge', '--tag', 'a', '--path', '/b'], ['stats', '--tag', 'a'], ['clear']]
  const codes = await Promise.all(mistyped.map(async (args) => (await banyan('cache', ...args)).code))
  expect(codes).toEqual([2, 2, 2])
})

test('a Redis that is away is a line of the log, a hint and a metric', async () => {
  const { redis, gateway, banyan } = await startOne()
  await redis.kill()
  expect(await gateway.line(({ cacheStore }) => cacheStore === 'down')).toMatchObject({ level: 'warn' })
  expect(await gateway.metric('banyan_cache_store_up')).toBe(0)
  expect((await banyan('status')).out).toMatch(
    /hint: the cache store is down since .*: each replica answers from its own stock/,
  )
  await redis.restart()
  await gateway.line(({ cacheStore, time }) => cacheStore === 'up' && time !== undefined)
  await until(async () => (await gateway.metric('banyan_cache_store_up')) === 1)
})
