// What budgets promise, wherever they are kept: in this process, and in a Redis by its own clock.
import { describe, expect, test } from 'vitest'
import type { Budget, Charge, Drawn } from '../../../gateway/model.ts'
import { createMemoryBudgets } from '../../../gateway/state/limits/memory.ts'
import type { Store, StoreOptions } from '../../../gateway/state/store.ts'
import { adminOf, openStore, redisForTest, until } from '../store/stores.ts'

const urls: Readonly<Record<string, () => Promise<string>>> = {
  memory: async () => 'memory:',
  redis: async () => (await redisForTest()).url,
}

/** What is promised here is not how long it takes: a machine that does other things too is waited for. */
const openPatient = (url: string, options: Partial<StoreOptions> = {}) =>
  openStore(url, { inPassingMs: 30_000, ...options })

const perHour = (most: number): Budget => ({ most, perMs: most / 3_600_000 })
const daily = (most: number): Budget => ({ most, perMs: 0 })

function charge(key: string, budget: Budget, cost = 1, how: Partial<Charge> = {}): Charge {
  return { key, budget, cost, isDry: false, onStoreLoss: 'localShare', ...how }
}

/** @returns whether it was taken, and of each charge whether there was room and what is used, in whole units */
async function draw(store: Store, ...charges: Charge[]) {
  const { isTaken, drawn } = await store.draw(charges)
  return { isTaken, met: drawn.map(({ isMet }) => isMet), used: drawn.map(({ level }) => Math.round(level.used)) }
}

async function drawn(store: Store, one: Charge): Promise<Charge & Drawn> {
  const [found] = (await store.draw([one])).drawn
  if (!found) throw new Error('nothing was drawn')
  return { ...one, ...found }
}

describe.each(Object.keys(urls))('budgets in %s', (kind) => {
  const open = async () => openPatient(await (urls[kind] as () => Promise<string>)())

  test('all of a budget may be used at once, and no more', async () => {
    const store = await open()
    const met = []
    for (let i = 0; i < 4; i++) met.push((await draw(store, charge('a', perHour(3)))).isTaken)
    expect(met).toEqual([true, true, true, false])
    expect(await draw(store, charge('b', perHour(3), 3))).toEqual({ isTaken: true, met: [true], used: [3] })
  })

  test('it comes back evenly', async () => {
    const store = await open()
    const fast = { most: 10, perMs: 1 }
    const first = await drawn(store, charge('a', fast, 10))
    expect(first).toMatchObject({ isMet: true, level: { used: 10 } })
    await until(async () => (await drawn(store, charge('a', fast, 10))).isMet)
    const again = await drawn(store, charge('a', fast, 10))
    expect(again.level.at - first.level.at).toBeGreaterThanOrEqual(10)
  })

  test('of several budgets all are charged, or none when one refuses', async () => {
    const store = await open()
    const both = [charge('a', perHour(5), 2), charge('b', daily(3), 2)]
    expect(await draw(store, ...both)).toEqual({ isTaken: true, met: [true, true], used: [2, 2] })
    expect(await draw(store, ...both)).toEqual({ isTaken: false, met: [true, false], used: [2, 2] })
    expect(await draw(store, charge('a', perHour(5), 3))).toEqual({ isTaken: true, met: [true], used: [5] })
  })

  test('one that is only tried out refuses nobody, is charged while it has room, and is not when another refuses', async () => {
    const store = await open()
    const dry = charge('dry', perHour(1), 1, { isDry: true })
    expect(await draw(store, dry)).toEqual({ isTaken: true, met: [true], used: [1] })
    expect(await draw(store, dry, charge('a', perHour(1)))).toEqual({ isTaken: true, met: [false, true], used: [1, 1] })
    const other = charge('other', perHour(1), 1, { isDry: true })
    expect(await draw(store, other, charge('a', perHour(1)))).toMatchObject({ isTaken: false, used: [0, 1] })
  })

  test('what comes out cheaper is given back, what comes out dearer is used, room or not', async () => {
    const store = await open()
    const cheap = await drawn(store, charge('a', daily(100), 60))
    const dear = await drawn(store, charge('b', perHour(100), 60))
    await store.settle([
      { charge: cheap, cost: 10 },
      { charge: dear, cost: 250 },
    ])
    expect(await draw(store, charge('a', daily(100), 90), charge('b', perHour(100), 0))).toEqual({
      isTaken: false,
      met: [true, false],
      used: [10, 250],
    })
  })

  test('a reservation is not given back out of what others have used since it came back by itself', async () => {
    const store = await open()
    const budget = { most: 20, perMs: 0.2 }
    const reserved = await drawn(store, charge('a', budget, 20))
    await until(async () => (await drawn(store, charge('a', budget, 0))).level.used === 0)
    const others = await drawn(store, charge('a', budget, 20))
    await store.settle([{ charge: reserved, cost: 0 }])
    const { level } = await drawn(store, charge('a', budget, 0))
    expect(level.used).toBeGreaterThanOrEqual(20 - 0.2 * (level.at - others.level.at) - 0.001)
  })

  test('of many at once, no more are met than there is room for', async () => {
    const store = await open()
    const all = await Promise.all(
      Array.from({ length: 500 }, () => draw(store, charge('a', daily(123)), charge('b', perHour(200)))),
    )
    expect(all.filter(({ isTaken }) => isTaken)).toHaveLength(123)
  })
})

test('replicas draw on the same budgets, whatever their own clocks say', async () => {
  const { url } = await redisForTest()
  const wrong = { now: () => 5, wall: () => 0 }
  const [one, two] = [await openPatient(url), await openPatient(url, { clock: wrong })]
  const all = await Promise.all(Array.from({ length: 100 }, (_, i) => draw(i % 2 ? one : two, charge('a', daily(70)))))
  expect(all.filter(({ isTaken }) => isTaken)).toHaveLength(70)
})

test('what is full again is gone from Redis, and so is a day', async () => {
  const redis = await redisForTest()
  const store = await openPatient(redis.url)
  const admin = adminOf(redis)
  await draw(store, charge('fast', { most: 10, perMs: 1 }, 10), charge('slow', perHour(36)), charge('day', daily(5)))
  await until(async () => (await admin.keys('*budget:*')).length === 2)
  const ttlMs = async (key: string) => admin.pttl((await admin.keys(`*budget:${key}`))[0] ?? '')
  expect(await ttlMs('slow')).toBeLessThanOrEqual(100_001)
  expect(await ttlMs('day')).toBeLessThanOrEqual(86_400_001)
})

test('all budgets of all requests of a turn are one round trip, and scripts that Redis forgot are told to it again', async () => {
  const redis = await redisForTest()
  const store = await openPatient(redis.url)
  const admin = adminOf(redis)
  await draw(store, charge('a', perHour(1_000)))
  await admin.script('FLUSH')
  await admin.config('RESETSTAT')
  const many = await Promise.all(
    Array.from({ length: 50 }, () =>
      draw(store, charge('a', perHour(1_000)), charge('b', perHour(1_000)), charge('c', daily(1_000))),
    ),
  )
  expect(many.every(({ isTaken }) => isTaken)).toBe(true)
  expect(Math.max(...many.map(({ used }) => used[1] ?? 0))).toBe(50)
  await admin.config('RESETSTAT')
  await draw(store, charge('a', perHour(1_000)), charge('b', perHour(1_000)))
  const stats = await admin.info('commandstats')
  expect(stats).toContain('cmdstat_evalsha:calls=1,')
  expect(stats).not.toContain('cmdstat_eval:')
})

test('budgets in this process are bounded, and those that are full again are forgotten', async () => {
  let now = 0
  const budgets = createMemoryBudgets({ now: () => now, wall: () => now }, 1_000)
  for (let i = 0; i < 5_000; i++) budgets.draw([charge(`a${i}`, { most: 10, perMs: 0.001 })])
  expect(budgets.size()).toBe(1_000)
  now = 60_000
  for (let i = 0; i < 1_000; i++) budgets.draw([charge(`b${i % 10}`, { most: 1e6, perMs: 0.001 })])
  expect(budgets.size()).toBe(10)
})
