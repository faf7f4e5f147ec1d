// How many gateways share a bound, as far as anybody knows.
import { expect, test } from 'vitest'
import { createFleetSize, sharer } from '../../gateway/state/sharing/fleetSize.ts'

const alive = (count: number) => new Map(Array.from({ length: count }, (_, i) => [`r${i}`, { applied: 0, hash: '' }]))

test('a bound is divided among those who are alive; until somebody knows, among those who should be', async () => {
  let all = async () => alive(5)
  const size = createFleetSize({ all: () => all() }, 3)
  const share = sharer(size.now)
  expect(share(150)).toBe(50)
  await size.count()
  expect(share(150)).toBe(30)
  all = async () => alive(1)
  await size.count()
  expect(share(150)).toBe(150)
  all = async () => {
    throw new Error('the store is down')
  }
  await size.count()
  expect(share(150)).toBe(50)
})

test('without the store no fewer are believed in than were there', async () => {
  let isUp = true
  const all = async () => {
    if (isUp) return alive(4)
    throw new Error('the store is down')
  }
  const size = createFleetSize({ all }, 2)
  await size.count()
  isUp = false
  await size.count()
  expect(size.now()).toBe(4)
})

test('whoever is there has one, however many they are, and an empty store does not count as nobody', async () => {
  const size = createFleetSize({ all: async () => alive(0) }, 7)
  expect(sharer(size.now)(3)).toBe(1)
  await size.count()
  expect(sharer(size.now)(3)).toBe(3)
})

test('who is alive is known by name once somebody has counted, and until they are counted anew', async () => {
  let isUp = true
  const size = createFleetSize(
    {
      async all() {
        if (isUp) return alive(2)
        throw new Error('the store is down')
      },
    },
    3,
  )
  expect([...size.living()]).toEqual([])
  await size.count()
  isUp = false
  await size.count()
  expect([...size.living()]).toEqual(['r0', 'r1'])
})
