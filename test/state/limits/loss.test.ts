// Limits without the store that they should have: a share of each, from where it stood last; or none; or nobody passes.
import { expect, test } from 'vitest'
import type { Charge, OnStoreLoss } from '../../../gateway/model.ts'
import { createLimits } from '../../../gateway/state/limits/limits.ts'
import { becomes, clock, openStore, redisForTest, timed, until } from '../store/stores.ts'

function charge(onStoreLoss: OnStoreLoss, how: Partial<Charge> = {}): Charge {
  return { key: onStoreLoss, budget: { most: 100, perMs: 1e-9 }, cost: 1, isDry: false, onStoreLoss, ...how }
}

async function limitsOf(gateways: number) {
  const redis = await redisForTest()
  const store = await openStore(redis.url, { inPassingMs: 5_000 })
  const limits = createLimits({ clock, store: () => store, gateways: () => gateways })
  const take = async (...charges: Charge[]) => (await limits.take('search', charges)).result
  /** @returns how many of so many are allowed */
  async function allowed(count: number, ...charges: Charge[]): Promise<number> {
    let sum = 0
    for (let i = 0; i < count; i++) if ((await take(...charges)) === 'allowed') sum += 1
    return sum
  }
  const lose = async () => {
    await redis.kill()
    await becomes(store, 'down')
  }
  return { redis, store, limits, take, allowed, lose }
}

test('each gateway goes on with its share, from where the budget stood last, and with all of it once the store is back', async () => {
  const { redis, store, allowed, lose, limits } = await limitsOf(2)
  expect(await allowed(60, charge('localShare'))).toBe(60)
  await lose()
  expect(await allowed(100, charge('localShare'))).toBe(20)
  expect(limits.counts().get('search')).toMatchObject({ allowed: 80, refused: 80, withoutStore: 100 })
  await redis.restart()
  await becomes(store, 'up')
  expect(await allowed(200, charge('localShare'))).toBe(100)
})

test('open lets everybody pass, closed nobody, and what is tried out decides nothing', async () => {
  const { take, allowed, lose, limits } = await limitsOf(2)
  await lose()
  expect(await allowed(300, charge('open'))).toBe(300)
  expect(await take(charge('closed'), charge('localShare'))).toBe('unknown')
  expect(await take(charge('closed', { isDry: true }), charge('localShare'))).toBe('allowed')
  expect(limits.counts().get('search')).toMatchObject({ unknown: 1 })
})

test('a share is enough for one request, however many share', async () => {
  const { allowed, lose } = await limitsOf(50)
  await lose()
  expect(await allowed(3, charge('localShare', { cost: 80 }))).toBe(1)
})

test('a frozen store is waited for once', async () => {
  const redis = await redisForTest()
  const store = await openStore(redis.url, { inPassingMs: 300 })
  const limits = createLimits({ clock, store: () => store, gateways: () => 2 })
  const take = () => timed(async () => limits.take('search', [charge('localShare')]))
  await until(async () => (await limits.take('search', [charge('localShare')])).at === 'store')
  redis.freeze()
  const startedAt = performance.now()
  await take()
  expect(performance.now() - startedAt).toBeGreaterThan(250)
  const later = []
  for (let i = 0; i < 30; i++) later.push(await take())
  expect(later.map(({ thrown }) => thrown)).toEqual(later.map(() => undefined))
  // Each as long as the first would be nine seconds.
  expect(later.reduce((sum, { tookMs }) => sum + tookMs, 0)).toBeLessThan(4_500)
  redis.thaw()
})

test('what was taken from the store is settled there, and what was taken here is settled here', async () => {
  const { store, limits, lose } = await limitsOf(1)
  const all = charge('localShare', { cost: 100 })
  const there = await limits.take('search', [all])
  limits.settle(
    there.at,
    there.charges.map((one) => ({ charge: one, cost: 10 })),
  )
  await until(
    async () => (await store.draw([charge('localShare', { cost: 90, isDry: true })])).drawn[0]?.isMet === true,
  )
  await lose()
  const other = charge('localShare', { key: 'other', cost: 100 })
  const here = await limits.take('search', [other])
  limits.settle(
    here.at,
    here.charges.map((one) => ({ charge: one, cost: 10 })),
  )
  expect([here.at, (await limits.take('search', [{ ...other, cost: 90 }])).result]).toEqual(['here', 'allowed'])
})
