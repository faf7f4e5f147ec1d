// What several replicas see of each other over one Redis.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { Store } from '../../../gateway/state/store.ts'
import { adminOf, becomes, listenTo, openStore, redisForTest, until } from './stores.ts'

const openFleet = (url: string, replicas: readonly string[]): Promise<Store[]> =>
  Promise.all(replicas.map((replicaId) => openStore(url, { replicaId })))

/** A way to that port which can lose all that is under way. */
async function openPath(to: number): Promise<{ port: number; swallow(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const redis = connect(to, '127.0.0.1')
    for (const [from, into] of [
      [client, redis],
      [redis, client],
    ] as const) {
      sockets.add(from.on('error', () => {}).on('close', () => into.destroy()))
      from.on('data', (bytes) => into.write(bytes))
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    swallow() {
      for (const socket of sockets)
        socket
          .removeAllListeners()
          .on('error', () => {})
          .pause()
    },
  }
}

/** By looking alone this would take as many seconds as there are rounds, longer than a test may. */
async function expectPushes(fleet: readonly Store[]): Promise<void> {
  const listening = fleet.map((store) => listenTo(store, 'overrides'))
  for (let round = 0; round < 60; round++) {
    await fleet[0]?.put('overrides', 'search', round)
    await Promise.all(listening.map((one) => one.until(({ byKey }) => byKey.get('search')?.value === round)))
  }
}

test('a change by one replica is pushed to all', async () => {
  const { url } = await redisForTest()
  await expectPushes(await openFleet(url, ['a', 'b', 'c']))
})

test('pushes go on after the network has swallowed all connections without a word', async () => {
  const redis = await redisForTest()
  const path = await openPath(redis.port)
  const fleet = await openFleet(`redis://127.0.0.1:${path.port}`, ['a', 'b'])
  await expectPushes(fleet)
  path.swallow()
  await Promise.all(fleet.map((store) => becomes(store, 'down')))
  await Promise.all(fleet.map((store) => becomes(store, 'up')))
  await expectPushes(fleet)
})

test('what is pushed to nobody is found by looking', async () => {
  // A user without any channel: neither PUBLISH nor SUBSCRIBE is allowed.
  const { url } = await redisForTest('--user default on nopass ~* +@all resetchannels'.split(' '))
  const [one, other] = (await openFleet(url, ['a', 'b'])) as [Store, Store]
  const listening = listenTo(other, 'overrides')
  for (const value of [1, 2]) {
    await one.put('overrides', 'a', value)
    await listening.until(({ byKey }) => byKey.get('a')?.value === value)
  }
  expect(other.state().is).toBe('up')
})

test('a change that comes while the subscription is down is told', async () => {
  const redis = await redisForTest()
  const admin = adminOf(redis)
  const [one, other] = (await openFleet(redis.url, ['a', 'b'])) as [Store, Store]
  const listening = listenTo(other, 'overrides')
  await until(async () => Number((await admin.pubsub('NUMSUB', 'banyan:gateway:changes'))[1]) === 2)
  await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await one.put('overrides', 'a', 1)
  await listening.until(({ byKey }) => byKey.size === 1)
  await until(async () => Number((await admin.pubsub('NUMSUB', 'banyan:gateway:changes'))[1]) === 2)
  expect(other.state().is).toBe('up')
})

test('of two replicas that decide at once one record stays, and both know whose', async () => {
  const { url } = await redisForTest()
  const fleet = (await openFleet(url, ['a', 'b'])) as [Store, Store]
  for (let round = 0; round < 100; round++) {
    const written = await Promise.all(
      fleet.map((store, index) => store.put('overrides', `route ${round}`, index, { ifRevision: 0 })),
    )
    const winner = written.findIndex(({ done }) => done)
    expect(written.filter(({ done }) => done)).toHaveLength(1)
    expect(written[1 - winner]).toMatchObject({ done: false, found: { value: winner } })
    expect((await fleet[0].all('overrides')).byKey.get(`route ${round}`)?.value).toBe(winner)
  }
})

test('of many who add one by revision, none is lost', async () => {
  const { url } = await redisForTest()
  const fleet = await openFleet(url, ['a', 'b', 'c'])
  async function addOne(store: Store): Promise<void> {
    for (;;) {
      const found = (await store.all('sums')).byKey.get('sum')
      const sum = Number(found?.value ?? 0) + 1
      if ((await store.put('sums', 'sum', sum, { ifRevision: found?.revision ?? 0 })).done) return
    }
  }
  await Promise.all(
    fleet.map(async (store) => {
      for (let added = 0; added < 30; added++) await addOne(store)
    }),
  )
  expect((await fleet[0]?.all('sums'))?.byKey.get('sum')?.value).toBe(90)
})

test('counts of all replicas are summed', async () => {
  const redis = await redisForTest()
  const fleet = (await openFleet(redis.url, ['a', 'b', 'c'])) as [Store, Store, Store]
  await Promise.all(fleet.map((store, index) => store.reportCounts('guard', 5000, new Map([['x', [1, index]]]))))
  await fleet[0].reportCounts('guard', 5000, new Map([['y', [1]]]))
  expect(await fleet[1].sumCounts('guard', [5000])).toEqual([
    new Map([
      ['x', [2, 3]],
      ['y', [1]],
    ]),
  ])
  expect(await adminOf(redis).pttl('banyan:gateway:counts:guard:5000')).toBeGreaterThan(290_000)
})

test('records of all replicas are read in one order', async () => {
  const { url } = await redisForTest()
  const fleet = (await openFleet(url, ['a', 'b'])) as [Store, Store]
  for (const turn of [0, 1, 0, 1]) await fleet[turn as 0 | 1].append('audit', turn)
  const [one, other] = await Promise.all(fleet.map((store) => store.readStream('audit', { limit: 9 })))
  expect(one?.map(({ value }) => value)).toEqual([0, 1, 0, 1])
  expect(other).toEqual(one)
})

test('everybody is known who is alive, and nobody who is not', async () => {
  const redis = await redisForTest()
  const fleet = (await openFleet(redis.url, ['a', 'b'])) as [Store, Store]
  await fleet[0].announce({ serves: 7 }, 60_000)
  await fleet[1].announce({ serves: 8 }, 30)
  await until(async () => (await fleet[0].replicas()).size === 1)
  await fleet[0].announce({ serves: 9 }, 60_000)
  expect(await fleet[1].replicas()).toEqual(new Map([['a', { serves: 9 }]]))
  expect(await adminOf(redis).hkeys('banyan:gateway:replicas')).toEqual(['a'])
})

test('the split key is the same for all, whoever comes first', async () => {
  const { url } = await redisForTest()
  const fleet = await openFleet(url, ['a', 'b', 'c'])
  const keys = await Promise.all(fleet.map((store, index) => store.setIfAbsent('split', 'key', `secret ${index}`)))
  expect(new Set(keys).size).toBe(1)
})

test('another namespace and another database are another store', async () => {
  const redis = await redisForTest()
  const store = await openStore(redis.url)
  await store.put('overrides', 'a', 1)
  for (const other of [await openStore(redis.url, { namespace: 'shop' }), await openStore(`${redis.url}/3`)]) {
    expect((await other.all('overrides')).byKey.size).toBe(0)
    await other.put('overrides', 'a', 2)
  }
  expect((await store.all('overrides')).byKey.get('a')?.value).toBe(1)
  expect(await adminOf(redis).keys('*')).toEqual(
    expect.arrayContaining(['banyan:gateway:documents:overrides', 'banyan:shop:documents:overrides']),
  )
})

test('a store that is closed leaves no connection, and takes no more', async () => {
  const redis = await redisForTest()
  const admin = adminOf(redis)
  const connections = async () =>
    String(await admin.client('LIST'))
      .trim()
      .split('\n').length
  const store = await openStore(redis.url)
  await until(async () => (await connections()) === 3)
  store.close()
  await until(async () => (await connections()) === 1)
  await expect(store.all('overrides')).rejects.toThrow('the store is not to be had: it was closed')
})
