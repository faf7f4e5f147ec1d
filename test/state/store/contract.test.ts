// What every store promises, held by both.
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Store, StoreOptions } from '../../../gateway/state/store.ts'
import { clock, listenTo, openStore, redisForTest, until } from './stores.ts'

const urls: Readonly<Record<string, () => Promise<string>>> = {
  memory: async () => 'memory:',
  redis: async () => (await redisForTest()).url,
}

describe.each(Object.keys(urls))('a store in %s', (kind) => {
  async function open(options?: Partial<StoreOptions>): Promise<Store> {
    return openStore(await (urls[kind] as () => Promise<string>)(), options)
  }
  const values = async (store: Store, name: string) =>
    Object.fromEntries([...(await store.all(name)).byKey].map(([key, { value }]) => [key, value]))

  test('is up from the start', async () => {
    const before = Date.now()
    const store = await open()
    expect(store.state()).toEqual({ is: 'up', since: expect.any(Number) })
    expect(store.state().since).toBeGreaterThanOrEqual(before)
  })

  describe('of documents', () => {
    test('gives back what was put last under each key, and knows nothing of what was removed', async () => {
      const store = await open()
      expect(await store.all('overrides')).toEqual({ revision: 0, byKey: new Map() })
      await store.put('overrides', 'search', { stage: 'canary', share: 0.1 })
      await store.put('overrides', 'search', { stage: 'live', reason: 'ä "quoted"\n', list: [1, null, true] })
      await store.put('overrides', '', 'the empty key')
      await store.put('overrides', '__proto__', 3)
      await store.put('others', 'search', 4)
      await store.put('overrides', 'gone', 5)
      await store.remove('overrides', 'gone')
      expect(new Map([...(await store.all('overrides')).byKey].map(([key, { value }]) => [key, value]))).toEqual(
        new Map<string, unknown>([
          ['search', { stage: 'live', reason: 'ä "quoted"\n', list: [1, null, true] }],
          ['', 'the empty key'],
          ['__proto__', 3],
        ]),
      )
    })

    test('hands out copies', async () => {
      const store = await open()
      const value = { list: [1] }
      await store.put('overrides', 'a', value)
      value.list.push(2)
      const read = (await store.all('overrides')).byKey.get('a')?.value as { list: number[] }
      read.list.push(3)
      expect(await values(store, 'overrides')).toEqual({ a: { list: [1] } })
    })

    test('numbers each change of a name higher than the one before, a removal and what follows it too', async () => {
      const store = await open()
      const revisions: number[] = []
      for (const value of [1, 2, 3]) {
        const written = await store.put('overrides', 'a', value)
        const removed = await store.remove('overrides', 'a')
        if (!written.done || !removed.done) throw new Error('not written')
        revisions.push(written.revision, removed.revision)
        expect((await store.all('overrides')).revision).toBe(removed.revision)
      }
      expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
      expect(revisions.every(Number.isSafeInteger)).toBe(true)
    })

    test('of what may be put only if there is nothing yet, keeps the first, and shows it to the second', async () => {
      const store = await open()
      const first = await store.put('overrides', 'a', 'first', { ifRevision: 0 })
      const revision = first.done ? first.revision : undefined
      expect(await store.put('overrides', 'a', 'second', { ifRevision: 0 })).toEqual({
        done: false,
        found: { value: 'first', revision },
      })
      expect(await values(store, 'overrides')).toEqual({ a: 'first' })
    })

    test('puts and removes by revision only what nobody has changed since', async () => {
      const store = await open()
      const first = await store.put('overrides', 'a', 1)
      await store.put('overrides', 'b', 1)
      if (!first.done) throw new Error('not written')
      const second = await store.put('overrides', 'a', 2, { ifRevision: first.revision })
      if (!second.done) throw new Error('another key was in the way')
      const found = { value: 2, revision: second.revision }
      expect(await store.put('overrides', 'a', 3, { ifRevision: first.revision })).toEqual({ done: false, found })
      expect(await store.remove('overrides', 'a', { ifRevision: first.revision })).toEqual({ done: false, found })
      expect(await store.remove('overrides', 'a', { ifRevision: second.revision })).toMatchObject({ done: true })
      expect(await store.put('overrides', 'a', 4, { ifRevision: second.revision })).toEqual({ done: false })
      expect(await values(store, 'overrides')).toEqual({ b: 1 })
    })

    test('of many who try at once to be the first, lets one', async () => {
      const store = await open()
      const tries = Array.from({ length: 50 }, (_, index) => store.put('overrides', 'a', index, { ifRevision: 0 }))
      expect((await Promise.all(tries)).filter(({ done }) => done)).toHaveLength(1)
    })

    test('refuses what JSON cannot say', async () => {
      const store = await open()
      await expect(store.put('overrides', 'a', undefined)).rejects.toThrow(TypeError)
      expect(await values(store, 'overrides')).toEqual({})
    })
  })

  describe('to its listeners', () => {
    test('tells all there is at first, and again after each change, and nothing where nothing changed', async () => {
      const store = await open()
      await store.put('overrides', 'a', 1)
      const listening = listenTo(store, 'overrides')
      await listening.until(({ byKey }) => byKey.get('a')?.value === 1)
      await store.put('overrides', 'b', 2)
      await listening.until(({ byKey }) => byKey.size === 2)
      await store.remove('overrides', 'never there')
      await store.put('others', 'a', 1)
      await store.remove('overrides', 'a')
      await listening.until(({ byKey }) => byKey.size === 1)
      expect(listening.told.map(({ byKey }) => [...byKey.keys()].join())).toEqual(['a', 'a,b', 'b'])
    })

    test('tells that there is nothing', async () => {
      expect(await listenTo(await open(), 'overrides').until(() => true)).toEqual({ revision: 0, byKey: new Map() })
    })

    test('tells a second listener at once, and the first not again', async () => {
      const store = await open()
      await store.put('overrides', 'a', 1)
      const [first] = [listenTo(store, 'overrides')]
      await first.until(() => true)
      await listenTo(store, 'overrides').until(() => true)
      expect(first.told).toHaveLength(1)
    })

    test('tells those no more who have ended it, and the others all the same', async () => {
      const store = await open()
      const [ended, going] = [listenTo(store, 'overrides'), listenTo(store, 'overrides')]
      await Promise.all([ended.until(() => true), going.until(() => true)])
      ended.end()
      await store.put('overrides', 'a', 1)
      await going.until(({ byKey }) => byKey.size === 1)
      expect(ended.told).toHaveLength(1)
    })

    test('of many changes tells the last one in the end, and never goes back', async () => {
      const store = await open()
      const listening = listenTo(store, 'overrides')
      await Promise.all(Array.from({ length: 300 }, (_, index) => store.put('overrides', 'a', index)))
      await listening.until(({ byKey }) => byKey.get('a')?.value === 299)
      const revisions = listening.told.map(({ revision }) => revision)
      expect(revisions).toEqual([...revisions].sort((a, b) => a - b))
    })

    test('goes on where a listener throws, and says so', async () => {
      const failures: unknown[] = []
      const store = await open({ onFailure: (thrown) => failures.push(thrown) })
      onTestFinished(
        store.onChange('overrides', () => {
          throw new Error('of a listener')
        }),
      )
      const listening = listenTo(store, 'overrides')
      await store.put('overrides', 'a', 1)
      await listening.until(({ byKey }) => byKey.size === 1)
      expect(failures).toContainEqual(new Error('of a listener'))
    })
  })

  describe('of counts', () => {
    test('sums up slot by slot and key by key, and knows nothing of slots that nobody reported', async () => {
      const store = await open()
      const slot = Math.floor(Date.now() / 1000) * 1000
      await store.reportCounts(
        'guard',
        slot,
        new Map([
          ['search/new', [9, 1]],
          ['__proto__', [1]],
        ]),
      )
      await store.reportCounts('guard', slot + 1000, new Map([['search/new', [0, 0, 4]]]))
      await store.reportCounts('other', slot, new Map([['search/new', [7]]]))
      expect(await store.sumCounts('guard', [slot + 1000, slot, slot - 1000])).toEqual([
        new Map([['search/new', [0, 0, 4]]]),
        new Map([
          ['search/new', [9, 1]],
          ['__proto__', [1]],
        ]),
        new Map(),
      ])
      expect(await store.sumCounts('guard', [])).toEqual([])
    })

    test('counts a report that is repeated once', async () => {
      const store = await open()
      const slot = Date.now()
      await store.reportCounts('guard', slot, new Map([['a', [1]]]))
      await store.reportCounts('guard', slot, new Map([['a', [2]]]))
      expect(await store.sumCounts('guard', [slot])).toEqual([new Map([['a', [2]]])])
    })
  })

  describe('of records', () => {
    test('gives back the last ones, oldest first, and what follows a known one', async () => {
      const store = await open()
      const ids: string[] = []
      for (const value of [1, { two: 2 }, [3], 'four', null]) ids.push(await store.append('audit', value))
      await store.append('other', 6)
      expect(new Set(ids).size).toBe(5)
      expect(await store.readStream('audit', { limit: 2 })).toEqual([
        { id: ids[3], value: 'four' },
        { id: ids[4], value: null },
      ])
      const following = await store.readStream('audit', { limit: 2, after: String(ids[0]) })
      expect(following.map(({ value }) => value)).toEqual([{ two: 2 }, [3]])
      expect(await store.readStream('audit', { limit: 9, after: String(ids[4]) })).toEqual([])
      expect((await store.readStream('audit', { limit: 100 })).map(({ id }) => id)).toEqual(ids)
      expect(await store.readStream('nothing', { limit: 3 })).toEqual([])
    })

    test('keeps about ten thousand', async () => {
      const store = await open()
      for (let batch = 0; batch < 24; batch++) {
        await Promise.all(Array.from({ length: 500 }, (_, index) => store.append('audit', batch * 500 + index)))
      }
      const kept = (await store.readStream('audit', { limit: 20_000 })).map(({ value }) => value)
      expect(kept.length).toBeGreaterThanOrEqual(10_000)
      expect(kept.length).toBeLessThan(10_500)
      expect(kept.at(-1)).toBe(11_999)
    })
  })

  describe('of values', () => {
    test('remembers for a while', async () => {
      const store = await open()
      await store.remember('side', 'ada', 'new', 60_000)
      await store.remember('side', 'bob', 'old', 60_000)
      await store.remember('side', 'bob', 'new', 30)
      expect(await store.recall('side', 'ada')).toBe('new')
      expect(await store.recall('side', 'eve')).toBeUndefined()
      await until(async () => (await store.recall('side', 'bob')) === undefined)
      expect(await store.recall('side', 'ada')).toBe('new')
    })

    test('keeps the first of what many set at once, and gives it to all', async () => {
      const store = await open()
      const tries = Array.from({ length: 20 }, (_, index) => store.setIfAbsent('split', 'key', `of ${index}`))
      expect(new Set(await Promise.all(tries)).size).toBe(1)
      expect(await store.setIfAbsent('split', 'other', 'x')).toBe('x')
    })
  })

  test('knows a replica for as long as it has announced itself', async () => {
    const store = await open({ replicaId: 'one' })
    expect(await store.replicas()).toEqual(new Map())
    await store.announce({ revision: 1 }, 60_000)
    await store.announce({ revision: 2 }, 60_000)
    expect(await store.replicas()).toEqual(new Map([['one', { revision: 2 }]]))
    const announcedAt = clock.now()
    await store.announce({ revision: 3 }, 40)
    await until(async () => (await store.replicas()).size === 0)
    expect(clock.now() - announcedAt).toBeGreaterThanOrEqual(38)
  })
})
