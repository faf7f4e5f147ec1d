// Redis killed, frozen, emptied, demoted: every call is bounded, and the store comes back by itself.
import { setInterval as everyMs } from 'node:timers/promises'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { type Store, StoreDown } from '../../../gateway/state/store.ts'
import { awakeMs } from '../../harness/awake.ts'
import { adminOf, becomes, everyCall, listenTo, openStore as openPatient, redisForTest, timed } from './stores.ts'

// What a bound is given beside itself on a machine that does other things too.
const slackMs = 400
// Longer than a gateway's: a Redis that is well answers within it, on whatever machine.
const inPassingMs = 500
const openStore = (url: string) => openPatient(url, { inPassingMs })
const calls = Object.entries(everyCall)

async function expectAtOnce(store: Store): Promise<void> {
  const asked = await Promise.all(calls.map(([, call]) => timed(() => call(store))))
  expect(asked.map(({ thrown }) => thrown)).toEqual(calls.map(() => expect.any(StoreDown)))
  expect(asked.map(({ thrown }) => (thrown as StoreDown).mayHaveRun)).toEqual(calls.map(() => false))
  expect(Math.max(...asked.map(({ tookMs }) => tookMs))).toBeLessThan(50)
}

async function expectServes(store: Store): Promise<void> {
  for (const [name, call] of calls)
    expect({ name, ...(await timed(() => call(store))) }).toMatchObject({ thrown: undefined })
}

test('no call waits for a frozen Redis longer than its bound', async () => {
  const redis = await redisForTest()
  const stores = await Promise.all(calls.map(() => openStore(redis.url)))
  await Promise.all(stores.map(expectServes))
  redis.freeze()
  const asked = await Promise.all(
    stores.map(async (store, index) => {
      const [name, call] = calls[index] as (typeof calls)[number]
      return { name, ...(await timed(() => call(store))) }
    }),
  )
  const boundOf = (name: string) => (['recall', 'remember', 'draw', 'settle'].includes(name) ? inPassingMs : 1000)
  for (const { name, tookMs, thrown } of asked) {
    expect(thrown).toBeInstanceOf(StoreDown)
    expect(thrown).toMatchObject({
      mayHaveRun: true,
      message: `the store is not to be had: no answer within ${boundOf(name)} ms`,
    })
    expect(tookMs).toBeLessThan(boundOf(name) + slackMs)
  }
  await Promise.all(stores.map(expectAtOnce))
  redis.thaw()
  await Promise.all(stores.map((store) => becomes(store, 'up')))
  await Promise.all(stores.map(expectServes))
})

test('a short freeze costs no connection, and answers stay with their questions', async () => {
  const redis = await redisForTest()
  const admin = adminOf(redis)
  const store = await openStore(redis.url)
  await store.remember('side', 'a', 'of a', 60_000)
  await store.remember('side', 'b', 'of b', 60_000)
  const connections = async () => /total_connections_received:(\d+)/.exec(await admin.info('stats'))?.[1]
  const before = await connections()
  redis.freeze()
  await expect(store.recall('side', 'a')).rejects.toThrow(StoreDown)
  redis.thaw()
  await becomes(store, 'up')
  expect(await store.recall('side', 'b')).toBe('of b')
  // The subscription is renewed whenever the store was down; the questions' own connection stays.
  expect(Number(await connections()) - Number(before)).toBeLessThanOrEqual(1)
})

test('frozen for five seconds under load, each call ends within its bound, and nothing of it waits for the thaw', async () => {
  const redis = await redisForTest()
  const store = await openStore(redis.url)
  const other = await openStore(redis.url)
  const listening = listenTo(store, 'overrides')
  await listening.until(() => true)
  await adminOf(redis).config('RESETSTAT')
  redis.freeze()
  const asked: Awaited<ReturnType<typeof timed>>[] = []
  const startedAt = performance.now()
  for await (const _ of everyMs(5)) {
    void timed(() => store.recall('side', 'key')).then((one) => asked.push(one))
    if (performance.now() - startedAt > 5000) break
  }
  expect(store.state().is).toBe('down')
  redis.thaw()
  await Promise.all([becomes(store, 'up'), becomes(other, 'up')])
  expect(asked.length).toBeGreaterThan(100)
  expect(asked.filter(({ thrown }) => !(thrown instanceof StoreDown))).toEqual([])
  expect(Math.max(...asked.map(({ tookMs }) => tookMs))).toBeLessThan(inPassingMs + slackMs)
  // Only the calls of the first half second were sent at all.
  const ran = /cmdstat_get:calls=(\d+)/.exec(await adminOf(redis).info('commandstats'))?.[1] ?? 0
  expect(Number(ran)).toBeLessThan(asked.length / 2)
  await other.put('overrides', 'a', 1)
  await listening.until(({ byKey }) => byKey.size === 1)
})

test('killed, it fails at once what waits and what comes; restarted, it is back by itself, and its emptiness is told', async () => {
  const redis = await redisForTest()
  const store = await openStore(redis.url)
  const listening = listenTo(store, 'overrides')
  const put = await store.put('overrides', 'a', 'rolled back')
  await listening.until(({ byKey }) => byKey.size === 1)
  redis.freeze()
  const waiting = timed(() => store.all('overrides'))
  await redis.kill()
  const { tookMs, thrown } = await waiting
  expect(thrown).toMatchObject({ name: 'StoreDown', mayHaveRun: true })
  expect(tookMs).toBeLessThan(900)
  expect((await becomes(store, 'down')).why).toEqual(expect.any(String))
  await expectAtOnce(store)
  expect(listening.told.at(-1)?.byKey.size).toBe(1)
  await redis.restart()
  await becomes(store, 'up')
  expect(await listening.until(({ byKey }) => byKey.size === 0)).toEqual({ revision: 0, byKey: new Map() })
  const again = await store.put('overrides', 'a', 'rolled back', { ifRevision: 0 })
  await listening.until(({ byKey }) => byKey.size === 1)
  if (!put.done || !again.done) throw new Error('not written')
  expect(again.revision).toBeGreaterThan(put.revision)
  await expectServes(store)
})

test('emptied while it runs, it tells so', async () => {
  const redis = await redisForTest()
  const store = await openStore(redis.url)
  const listening = listenTo(store, 'overrides')
  await store.put('overrides', 'a', 1)
  await listening.until(({ byKey }) => byKey.size === 1)
  await adminOf(redis).flushall()
  expect((await listening.until(({ byKey }) => byKey.size === 0)).revision).toBe(0)
})

test('says at each change whether it is up, since when and why not', async () => {
  const redis = await redisForTest()
  const store = await openStore(redis.url)
  const states: string[] = []
  store.onState(({ is }) => states.push(is))
  await redis.kill()
  const down = await becomes(store, 'down')
  expect(down.since).toBeGreaterThanOrEqual(Date.now() - 30_000)
  await redis.restart()
  expect((await becomes(store, 'up')).why).toBeUndefined()
  await redis.kill()
  await becomes(store, 'down')
  expect(states).toEqual(['down', 'up', 'down'])
})

test('a gateway that starts before its Redis does not wait for it, and has it once it is there', async () => {
  const redis = await redisForTest()
  await redis.kill()
  const absent = await openStore(redis.url)
  expect(absent.state()).toMatchObject({ is: 'down', why: expect.stringContaining('ECONNREFUSED') })
  await redis.restart()
  await becomes(absent, 'up')
  redis.freeze()
  const startedAt = awakeMs()
  const frozen = await openStore(redis.url)
  expect(awakeMs() - startedAt).toBeLessThan(4000)
  expect(frozen.state().is).toBe('down')
  await expectAtOnce(frozen)
  redis.thaw()
  await becomes(frozen, 'up')
  await expectServes(frozen)
})

test('a primary that became a replica refuses, and is connected to anew', async () => {
  const redis = await redisForTest()
  const store = await openStore(redis.url)
  const admin = adminOf(redis)
  await admin.replicaof('127.0.0.1', 1)
  const wentDown = becomes(store, 'down')
  const { thrown } = await timed(() => store.append('audit', 's3cret'))
  expect(thrown).toMatchObject({ mayHaveRun: false, message: expect.stringContaining('READONLY') })
  expect(inspect(thrown, { depth: 9, showHidden: true })).not.toContain('s3cret')
  await wentDown
  await admin.replicaof('NO', 'ONE')
  await becomes(store, 'up')
  await expectServes(store)
})

test('a process that stands still longer than a bound is no outage', async () => {
  const redis = await redisForTest()
  const store = await openPatient(redis.url, { inPassingMs: 100 })
  await store.setIfAbsent('side', 'a', 'new')
  const asked = store.recall('side', 'a')
  const standsUntil = performance.now() + 300
  while (performance.now() < standsUntil);
  expect(await asked).toBe('new')
  expect(store.state().is).toBe('up')
})
