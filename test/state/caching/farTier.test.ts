// The tier that replicas share, while its Redis is well, frozen, full or gone.
import { describe, expect, test } from 'vitest'
import type { StoredHead } from '../../../gateway/caching/stored.ts'
import type { CacheStore } from '../../../gateway/state/cacheStore.ts'
import { FarTier } from '../../../gateway/state/caching/farTier.ts'
import { stored } from '../../caching/world.ts'
import { adminOf, clock, redisForTest, timed, until } from '../store/stores.ts'
import { heard, openCache } from './worlds.ts'

const any = <H extends StoredHead>(heads: readonly H[]) => heads[0]
const now = 0
/** For who waits for a frozen Redis: so long that one which is not frozen has answered, also on a busy machine. */
const soon = { inPassingMs: 2_000 }

function put(tier: FarTier, key: string, tags: readonly string[], body = 'body'): Promise<void> {
  const since = { near: 0, far: tier.now() }
  return tier.put(key, stored({ body }), { tags, since, keepMs: 60_000 })
}

/** Whether all have ended within that bound, in time that this process was awake; the client's own bound is further away. */
async function haveEndedIn({ inPassingMs }: typeof soon, waiting: readonly Promise<unknown>[]): Promise<boolean> {
  const { tookMs } = await timed(() => Promise.all(waiting))
  return tookMs < inPassingMs + 100
}

const isUp = (store: CacheStore) => async () => store.state().is === 'up'

test('who wants the same at once asks once', async () => {
  const redis = await redisForTest()
  const tier = new FarTier(await openCache(redis.url), clock)
  await put(tier, 'k', ['a'])
  const admin = adminOf(redis)
  await admin.config('RESETSTAT')
  const found = await Promise.all(Array.from({ length: 100 }, () => tier.look('k', any, now)))
  expect(found.every(({ stored }) => stored?.body.toString() === 'body')).toBe(true)
  const stats = await admin.info('commandstats')
  expect(stats).toMatch(/cmdstat_hvals:calls=1,/)
  expect(stats).toMatch(/cmdstat_mget:calls=1,/)
  expect(tier.counts.looks).toEqual({ hit: 100, miss: 0, late: 0, away: 0, failed: 0 })
})

test('who comes after a purge does not share the answer to a question from before it', async () => {
  const redis = await redisForTest()
  const tier = new FarTier(await openCache(redis.url), clock)
  await put(tier, 'k', ['a'])
  const admin = adminOf(redis)
  await admin.config('RESETSTAT')
  await Promise.all([tier.look('k', any, 1), tier.look('k', any, 2)])
  expect(await admin.info('commandstats')).toMatch(/cmdstat_hvals:calls=2,/)
})

describe('a Redis that is frozen', () => {
  test('is waited for once, by all who are there, and then by nobody', async () => {
    const redis = await redisForTest()
    const store = await openCache(redis.url, soon)
    const tier = new FarTier(store, clock)
    await put(tier, 'k', ['a'])
    redis.freeze()
    const waiting = Array.from({ length: 50 }, () => tier.look('k', any, now))
    expect(await haveEndedIn(soon, waiting)).toBe(true)
    await Promise.all(Array.from({ length: 50 }, () => tier.look('k', any, now)))
    expect(tier.counts.looks).toMatchObject({ late: 50, away: 50 })
    redis.thaw()
    await until(isUp(store))
    // It rests a little after having been late.
    await until(async () => (await tier.look('k', any, now)).stored !== undefined)
  })

  test('hears of a purge when it is back, and so do the others', async () => {
    const redis = await redisForTest()
    const [store, other] = await Promise.all([openCache(redis.url, soon), openCache(redis.url)])
    const tier = new FarTier(store, clock)
    await put(tier, 'k', ['a'])
    redis.freeze()
    expect(await haveEndedIn(soon, [tier.purge(['a'])])).toBe(true)
    expect(tier.owed).toBe(1)
    const told = heard(other)
    redis.thaw()
    expect(await told).toEqual(['a'])
    await until(async () => tier.owed === 0)
    expect((await tier.look('k', any, now)).stored).toBeUndefined()
  })
})

test('nothing is read that an owed purge concerns, although the rest is', async () => {
  const redis = await redisForTest()
  const tier = new FarTier(await openCache(redis.url), clock)
  await put(tier, 'k', ['a', 'b'])
  await put(tier, 'l', ['b'])
  // It is full: it gives, and takes nothing.
  const admin = adminOf(redis)
  await admin.config('SET', 'maxmemory', '1')
  expect(await tier.purge(['a'])).toBe(false)
  await put(tier, 'm', ['b'])
  expect(tier.counts.puts).toEqual({ stored: 2, void: 0, failed: 1 })
  const found = async (key: string) => (await tier.look(key, any, now)).stored !== undefined
  expect([await found('k'), await found('l')]).toEqual([false, true])
  await tier.payOff()
  expect([tier.owed, await found('k')]).toEqual([1, false])
  await admin.config('SET', 'maxmemory', '0')
  await tier.payOff()
  expect([tier.owed, await found('k'), await found('l')]).toEqual([0, false, true])
})

test('a Redis that is gone costs nobody a wait, and is used again when it is back', async () => {
  const redis = await redisForTest()
  const store = await openCache(redis.url)
  const tier = new FarTier(store, clock)
  await redis.kill()
  await until(async () => store.state().is === 'down')
  await tier.look('k', any, now)
  expect(tier.draft(60_000)).toBeUndefined()
  await put(tier, 'k', ['a'])
  const told = heard(store)
  await redis.restart()
  // Before it has heard that all was lost, it puts nothing there.
  expect(await told).toBe('all')
  await put(tier, 'k', ['a'], 'anew')
  expect((await tier.look('k', any, now)).stored?.body.toString()).toBe('anew')
  expect(tier.counts).toMatchObject({ looks: { away: 1, hit: 1 }, puts: { stored: 1, failed: 1 } })
})
