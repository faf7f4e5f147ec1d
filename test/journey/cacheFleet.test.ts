// Replicas that share a cache: what one has asked for all give, what is void at one is void at all, and nobody gets what is not his.
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import type { TestGateway } from '../harness/gateway.ts'
import { counting, startCounted, until } from './caching.ts'
import { ask as at, fill, looks, purge, puts, soon, startCachingFleet } from './cachingFleet.ts'

const fresh = { 'Cache-Control': 'max-age=1000' }
const pair = (replicas: readonly TestGateway[]) => replicas as readonly [TestGateway, TestGateway]

test('what one has asked for the others give, and one that comes later, as often as they are asked', async () => {
  const origin = await startCounted(counting({ ...fresh, 'Content-Encoding': 'br', 'X-Case': 'Kept' }))
  const { replicas, join } = await startCachingFleet(origin)
  const [one, other] = pair(replicas)
  const asked = { 'Accept-Encoding': 'br' }
  const first = await fill(one, '/c/a?b=1', asked)
  const times = origin.asked.length
  for (const replica of [other, await join(), one, other]) {
    const { status, text, fields } = await at(replica, '/c/a?b=1', asked)
    expect([status, text, fields['content-encoding'], fields['x-case']]).toEqual([200, first.text, 'br', 'Kept'])
    expect(fields['cache-status']).toMatch(/^banyan; hit; ttl=/)
    expect(Number(fields.age)).toBeGreaterThanOrEqual(0)
  }
  expect(origin.asked).toHaveLength(times)
  // The second time it lay near.
  expect(await looks(other, 'hit')).toBe(1)
})

test('many who want the same at one replica cause one question to the other tier, and one upstream', async () => {
  const origin = await startCounted(counting(fresh))
  const { replicas } = await startCachingFleet(origin, { size: 1 })
  const [one] = pair(replicas)
  const answers = await Promise.all(Array.from({ length: 200 }, () => at(one, '/c/a')))
  expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['answer 1']))
  expect(origin.asked).toHaveLength(1)
})

test('who waits for Redis is given what has come near meanwhile', async () => {
  const origin = await startCounted(counting(fresh))
  const { replicas, redis } = await startCachingFleet(origin, { size: 1, cacheWithinMs: 5_000 })
  const [one] = pair(replicas)
  redis.freeze()
  const waiting = at(one, '/c/a')
  await until(async () => (await one.metric('banyan_cache_looks_total{tier="memory",result="miss"}')) === 1)
  // Who reloads does not look into Redis.
  expect((await at(one, '/c/a', { 'Cache-Control': 'no-cache' })).text).toBe('answer 1')
  expect((await waiting).text).toBe('answer 1')
  expect(origin.asked).toHaveLength(1)
})

test('a stale answer that another replica has had confirmed is not asked after again', async () => {
  const origin = await startCounted((request, response) => {
    // Stale when it comes for the first time, fresh when it is confirmed.
    if (request.headers['if-none-match']) response.writeHead(304, { ...fresh, ETag: '"a"' }).end()
    else response.writeHead(200, { 'Cache-Control': 'max-age=1', Age: '50', ETag: '"a"' }).end('body')
  })
  const { replicas } = await startCachingFleet(origin)
  const [one, other] = pair(replicas)
  await fill(one, '/c/a')
  expect((await at(other, '/c/a')).fields['cache-status']).toBe('banyan; fwd=stale; fwd-status=304; stored')
  await until(async () => (await puts(other)) === 1)
  expect(await at(one, '/c/a')).toMatchObject({
    text: 'body',
    fields: { 'cache-status': expect.stringMatching(/^banyan; hit/) },
  })
  expect(origin.asked).toHaveLength(2)
})

describe('what is void at one replica is so at the others', () => {
  const deeds: Readonly<Record<string, (gateway: TestGateway) => Promise<unknown>>> = {
    'by a purge of its route': (gateway) => purge(gateway, { route: 'c' }),
    'by a purge of a name that its origin gave it': (gateway) => purge(gateway, { tag: 'blue' }),
    'by a purge of its path, written in another way': (gateway) => purge(gateway, { path: '/c/x/../%61' }),
    'by a write to it': (gateway) => at(gateway, '/c/a?b=1', {}, 'PUT'),
  }
  test.each(Object.entries(deeds))('%s', async (_, deed) => {
    const named = counting({ ...fresh, 'Cache-Tag': 'red, blue' })
    const plain = counting(fresh)
    const origin = await startCounted((request, response) =>
      (request.url?.startsWith('/d') ? plain : named)(request, response),
    )
    const { replicas } = await startCachingFleet(origin)
    const [one, other] = pair(replicas)
    const { text: before } = await fill(one, '/c/a?b=1')
    expect((await at(other, '/c/a?b=1')).text).toBe(before)
    await at(other, '/d/a')
    await deed(one)
    await until(async () => (await at(other, '/c/a?b=1')).text !== before)
    // What was not meant is there still.
    expect((await at(other, '/d/a')).fields['cache-status']).toMatch(/hit/)
    expect((await at(one, '/c/a?b=1')).text).not.toBe(before)
  })

  test('by a purge of a name that the file gives', async () => {
    const origin = await startCounted(counting(fresh))
    const { replicas } = await startCachingFleet(origin)
    const [one, other] = pair(replicas)
    await at(other, '/d/a')
    expect(await purge(one, { tag: 'of-file' })).toMatchObject({ status: 200, body: { purged: 'tag of-file' } })
    await until(async () => (await at(other, '/d/a')).text === 'answer 2')
  })

  test('also while the Redis takes no word: it hears of it when it does', async () => {
    const origin = await startCounted(counting(fresh))
    const { replicas, redis } = await startCachingFleet(origin, soon)
    const [one, other] = pair(replicas)
    await fill(one, '/c/a')
    // What it gives now lies near to it, wherever it had it from.
    const { text: before } = await at(other, '/c/a')
    redis.freeze()
    expect(await purge(one, { route: 'c' })).toMatchObject({ status: 504, body: { purged: 'route c' } })
    expect((await at(one, '/c/a')).fields['cache-status']).toMatch(/fwd=uri-miss/)
    expect((await at(other, '/c/a')).text).toBe(before)
    redis.thaw()
    await until(async () => (await at(other, '/c/a')).text !== before)
    await until(async () => (await one.metric('banyan_cache_purges_owed')) === 0)
  })

  test('also what was asked for before it and comes after it', async () => {
    let release = () => {}
    const blue = { ...fresh, 'Cache-Tag': 'blue' }
    const origin = await startCounted((request, response) => {
      if (request.url === '/c/mark') return response.writeHead(200, blue).end('mark')
      release = () => response.writeHead(200, blue).end('old')
    })
    const { replicas } = await startCachingFleet(origin)
    const [one, other] = pair(replicas)
    const slow = at(other, '/c/a')
    await until(async () => origin.asked.length === 1)
    await at(other, '/c/mark')
    await purge(one, { tag: 'blue' })
    // It has heard of it.
    await until(async () => {
      await at(other, '/c/mark')
      return origin.asked.length > 2
    })
    release()
    expect((await slow).text).toBe('old')
    origin.answer = counting(fresh)
    expect((await at(other, '/c/a')).text).toBe('answer 1')
    expect((await at(one, '/c/a')).text).not.toBe('old')
  })
})

describe('two identities', () => {
  const ann = { Authorization: 'Bearer s3cret-of-ann' }
  const bob = { Authorization: 'Bearer s3cret-of-bob' }

  test('get their own at every replica, and Redis is told of no credential', async () => {
    const origin = await startCounted((request, response) =>
      response.writeHead(200, fresh).end(`for ${request.headers.authorization?.slice(-3) ?? 'nobody'}`),
    )
    const { replicas, redis } = await startCachingFleet(origin, { cache: '{ status: true, per: identity }' })
    const [one, other] = pair(replicas)
    for (const who of [ann, bob, {}]) await fill(one, '/c/me?token=s3cret', who)
    const found = await Promise.all([ann, bob, {}].map((who) => at(other, '/c/me?token=s3cret', who)))
    expect(found.map(({ text }) => text)).toEqual(['for ann', 'for bob', 'for nobody'])
    expect(await looks(other, 'hit')).toBeGreaterThan(0)
    expect(await allIn(redis.port)).not.toContain('s3cret')
  })

  test('share what is for all, and nothing else, also by another replica', async () => {
    const origin = await startCounted((request, response) => {
      const control = request.url?.startsWith('/c/all') ? 'public, max-age=1000' : 'max-age=1000'
      response.writeHead(200, { 'Cache-Control': control }).end(`for ${request.headers.authorization?.slice(-3)}`)
    })
    const { replicas } = await startCachingFleet(origin)
    const [one, other] = pair(replicas)
    await fill(one, '/c/all', ann)
    await at(one, '/c/own', ann)
    expect((await at(other, '/c/all', bob)).text).toBe('for ann')
    expect((await at(other, '/c/own', bob)).text).toBe('for bob')
  })
})

/** Every key and value in Redis, as text. */
async function allIn(port: number): Promise<string> {
  const redis = new Redis({ port, host: '127.0.0.1' })
  const keys = await redis.keys('*')
  const values = await Promise.all(
    keys.map(async (key) => {
      const type = await redis.type(key)
      if (type === 'hash') return JSON.stringify(await redis.hgetall(key))
      return type === 'stream' ? JSON.stringify(await redis.xrange(key, '-', '+')) : redis.get(key)
    }),
  )
  redis.disconnect()
  expect(keys.length).toBeGreaterThan(5)
  return [...keys, ...values].join('\n')
}
