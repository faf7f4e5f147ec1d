// The cache's store in Redis: what lies there, what is never read of it, and how purges come to all who share it.
import type { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import type { CacheStore, KeptHead } from '../../../gateway/state/store/cachePort.ts'
import { StoreDown } from '../../../gateway/state/store.ts'
import { stored } from '../../caching/world.ts'
import { heard, longMs, openCache } from '../caching/worlds.ts'
import { adminOf, redisForTest, until } from './stores.ts'

const piece = 64 * 1024
const keepMs = 60_000

async function put(store: CacheStore, key: string, tags: readonly string[], body = 'body') {
  const { body: bytes, ...head } = stored({ answered: ['Cache-Control: max-age=100'], body })
  const laid = await store.draft().finish(bytes)
  return store.put(key, { ...head, tags, since: store.now(), body: laid }, keepMs)
}

async function bodyOf(store: CacheStore, key: string): Promise<string | undefined> {
  const [head] = await store.heads(key, longMs)
  return head && (await store.whole(head, longMs))?.body.toString()
}

describe('what lies there', () => {
  test('has an end, all of it, and no key or value says what it is about', async () => {
    const redis = await redisForTest()
    const store = await openCache(redis.url)
    await put(store, 'route\nhttps://host/path?token=s3cret', ['u-one', 't-two'], 'x'.repeat(3 * piece))
    await store.purge(['t-two'])
    const admin = adminOf(redis)
    const keys = await admin.keys('*')
    expect(keys.length).toBe(1 + 3 + 2 + 1)
    for (const key of keys) {
      expect(await admin.pttl(key), key).toBeGreaterThan(0)
      const said = key + (await admin.dump(key))
      for (const secret of ['s3cret', 'token', 'host']) expect(said).not.toContain(secret)
    }
  })

  test('is gone with what took its place, but for those who are reading it', async () => {
    const redis = await redisForTest()
    const store = await openCache(redis.url)
    const admin = adminOf(redis)
    await put(store, 'k', ['a'], 'first'.repeat(piece))
    const [first] = (await store.heads('k', longMs)) as [KeptHead]
    await put(store, 'k', ['a'], 'second')
    expect((await store.whole(first, longMs))?.body.length).toBe(5 * piece)
    const left = await Promise.all((await admin.keys(`*${first.body.id}*`)).map((key) => admin.pttl(key)))
    expect(left).toHaveLength(5)
    expect(Math.max(...left)).toBeLessThanOrEqual(5_000)
    expect(await bodyOf(store, 'k')).toBe('second')
  })

  test('is written while it comes, and is nowhere to be found before its end', async () => {
    const redis = await redisForTest()
    const store = await openCache(redis.url)
    const admin = adminOf(redis)
    const body = Buffer.alloc(3 * piece + 5, 'x')
    const draft = store.draft()
    draft.grown(body.subarray(0, 2 * piece + 7))
    await until(async () => (await admin.keys('*:body:*')).length === 2)
    expect(await admin.keys('*:heads:*')).toEqual([])
    const laid = await draft.finish(body)
    expect(await admin.keys('*:body:*')).toHaveLength(4)
    const { body: _body, ...head } = stored()
    await store.put('k', { ...head, tags: ['a'], since: store.now(), body: laid }, 60_000)
    expect(await bodyOf(store, 'k')).toBe(body.toString())
  })
})

test('a body lasts longer than its head, and one that nothing came of is gone', async () => {
  const redis = await redisForTest()
  const store = await openCache(redis.url)
  const admin = adminOf(redis)
  await put(store, 'k', ['a'], 'x'.repeat(2 * piece))
  const [heads] = (await admin.keys('*:heads:*')) as [string]
  const lasts = await Promise.all((await admin.keys('*:body:*')).map((key) => admin.pttl(key)))
  expect(lasts).toHaveLength(2)
  for (const ms of lasts) {
    expect(ms).toBeGreaterThan(await admin.pttl(heads))
    expect(ms).toBeLessThanOrEqual(keepMs + 60_000)
  }
  const draft = store.draft()
  draft.grown(Buffer.alloc(5 * piece))
  draft.drop()
  await until(async () => (await admin.info('commandstats')).includes('cmdstat_unlink:calls=1,'))
  expect(await admin.keys('*:body:*')).toHaveLength(2)
})

describe('nothing is read', () => {
  const spoils: Readonly<Record<string, (admin: Redis, chunk: string) => Promise<unknown>>> = {
    'of which a part is missing': (admin, chunk) => admin.del(chunk),
    'of which a part is shorter': (admin, chunk) => admin.set(chunk, 'x'.repeat(piece - 1)),
    'of which a part is longer': (admin, chunk) => admin.append(chunk, 'x'),
    'of whose tags one has no version, and may have been purged': (admin) =>
      admin.del('banyan:gateway:cache1:version:a'),
  }
  test.each(Object.entries(spoils))('%s', async (_, spoil) => {
    const redis = await redisForTest()
    const store = await openCache(redis.url)
    const admin = adminOf(redis)
    await put(store, 'k', ['a', 'b'], 'x'.repeat(3 * piece))
    const chunks = await admin.keys('*:body:*')
    expect(await bodyOf(store, 'k')).toHaveLength(3 * piece)
    await spoil(admin, chunks.find((key) => key.endsWith(':1')) as string)
    expect(await bodyOf(store, 'k')).toBeUndefined()
    await put(store, 'k', ['a', 'b'], 'anew')
    expect(await bodyOf(store, 'k')).toBe('anew')
  })

  test.each<[string, (admin: Redis) => Promise<unknown>]>([
    ['lost its version', (admin) => admin.del('banyan:gateway:cache1:version:a')],
    ['was forgotten with everything', (admin) => admin.flushall()],
    [
      'was forgotten by the log too',
      async (admin) => {
        await admin.del('banyan:gateway:cache1:version:a')
        await admin.xtrim('banyan:gateway:cache1:purges', 'MAXLEN', 1)
      },
    ],
  ])('that was asked for before a purge of its tag, which %s before it came', async (_, lose) => {
    const redis = await redisForTest()
    const store = await openCache(redis.url)
    const asked = { ...stored(), tags: ['a'], since: store.now() }
    await store.purge(['a'])
    // Of others, too.
    await store.purge(['aa', 'b'])
    await lose(adminOf(redis))
    const { body, ...head } = asked
    const put = async (tags: readonly string[]) =>
      store.put('k', { ...head, tags, body: await store.draft().finish(body) }, keepMs)
    expect(await put(['a'])).toBe(false)
    expect(await bodyOf(store, 'k')).toBeUndefined()
  })

  test('but what nothing is known of was purged by nobody while the log is whole', async () => {
    const redis = await redisForTest()
    const store = await openCache(redis.url)
    const { body, ...head } = { ...stored(), tags: ['a'], since: store.now() }
    await store.purge(['aa', 'ba'])
    const laid = await store.draft().finish(body)
    expect(await store.put('k', { ...head, body: laid }, keepMs)).toBe(true)
    expect(await bodyOf(store, 'k')).toBe('body')
  })

  test('that was purged before its tag lost its version', async () => {
    const redis = await redisForTest()
    const store = await openCache(redis.url)
    await put(store, 'k', ['a'])
    await store.purge(['a'])
    await adminOf(redis).del('banyan:gateway:cache1:version:a')
    await put(store, 'l', ['a'])
    expect([await bodyOf(store, 'k'), await bodyOf(store, 'l')]).toEqual([undefined, 'body'])
  })
})

describe('a purge', () => {
  test('is heard by all who share it, and voids what they put that was asked for before', async () => {
    const { url } = await redisForTest()
    const [one, other] = await Promise.all([openCache(url), openCache(url)])
    await put(one, 'k', ['a', 'b'])
    const since = other.now()
    const told = heard(other)
    await one.purge(['a'])
    expect(await told).toEqual(['a'])
    expect(await bodyOf(other, 'k')).toBeUndefined()
    const { body, ...head } = stored()
    const laid = await other.draft().finish(body)
    expect(await other.put('k', { ...head, tags: ['a'], since, body: laid }, 60_000)).toBe(false)
    expect(await put(other, 'k', ['a'])).toBe(true)
    expect(await put(one, 'k', ['a'])).toBe(true)
  })

  test('is heard within a second although nothing is pushed', async () => {
    const { url } = await redisForTest(['--rename-command', 'PUBLISH', ''])
    const [one, other] = await Promise.all([openCache(url), openCache(url)])
    const told = heard(other)
    await one.purge(['a', 'b'])
    expect(await told).toEqual(['a', 'b'])
  })

  test('voids all where others may have been missed: the log was emptied, or is too short', async () => {
    const redis = await redisForTest()
    const store = await openCache(redis.url)
    const admin = adminOf(redis)
    const told = heard(store)
    await admin.flushall()
    expect(await told).toBe('all')
    const log = 'banyan:gateway:cache1:purges'
    await until(async () => (await admin.exists(log)) === 1)
    const again = heard(store)
    await admin.xtrim(log, 'MAXLEN', 0)
    expect(await again).toBe('all')
  })

  test('of namespaces is of each its own', async () => {
    const { url } = await redisForTest()
    const [one, other] = await Promise.all([
      openCache(url, { namespace: 'one' }),
      openCache(url, { namespace: 'other' }),
    ])
    await put(one, 'k', ['a'])
    await put(other, 'k', ['a'], 'its own')
    await one.purge(['a'])
    expect([await bodyOf(one, 'k'), await bodyOf(other, 'k')]).toEqual([undefined, 'its own'])
  })

  test('that was made while the Redis was away is heard of by all when it is back', async () => {
    const redis = await redisForTest()
    const [one, other] = await Promise.all([openCache(redis.url), openCache(redis.url)])
    await redis.kill()
    await expect(one.purge(['a'])).rejects.toThrow(StoreDown)
    const told = [heard(one), heard(other)]
    await redis.restart()
    // It has lost its memory: nobody knows what was in it.
    expect(await Promise.all(told)).toEqual(['all', 'all'])
    expect(await put(one, 'k', ['a'])).toBe(true)
    expect(await bodyOf(other, 'k')).toBe('body')
  })
})
