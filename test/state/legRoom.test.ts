import { expect, test } from 'vitest'
import { createLegRoom } from '../../gateway/state/legRoom.ts'
import { upstreamAt } from '../ops/world.ts'

const wide = { ...upstreamAt('wide', 1), maxConnections: 10_000 }

function roomAt(clock = { ms: 0 }, shareOf = (ofFleet: number) => ofFleet) {
  return { clock, room: createLegRoom(() => clock.ms, shareOf) }
}

test('a rate allows a second’s worth at once, and then its pace', () => {
  const { clock, room } = roomAt({ ms: 0 })
  const passed = () => Array.from({ length: 100 }, () => room.lack('a', 20, wide)).filter((why) => !why).length
  expect(passed()).toBe(20)
  clock.ms += 500
  expect(passed()).toBe(10)
  clock.ms += 60_000
  expect(passed()).toBe(20)
})

test('a rate below one per second allows one, then waits for the next', () => {
  const { clock, room } = roomAt({ ms: 0 })
  expect([room.lack('a', 0.1, wide), room.lack('a', 0.1, wide)]).toEqual([undefined, 'rate'])
  clock.ms += 9_999
  expect(room.lack('a', 0.1, wide)).toBe('rate')
  clock.ms += 1
  expect(room.lack('a', 0.1, wide)).toBeUndefined()
})

test('each kind has a rate of its own', () => {
  const { room } = roomAt()
  expect([room.lack('a', 1, wide), room.lack('a', 1, wide), room.lack('b', 1, wide)]).toEqual([
    undefined,
    'rate',
    undefined,
  ])
})

test('there are 64 places, and each is given back once', () => {
  const { room } = roomAt()
  const leaves = Array.from({ length: 70 }, () => room.enter(wide))
  expect(leaves.filter(Boolean).length).toBe(64)
  expect(room.lack('a', 1_000, wide)).toBe('full')
  leaves[0]?.()
  leaves[0]?.()
  expect(room.enter(wide)).toBeDefined()
  expect(room.enter(wide)).toBeUndefined()
})

test.each([
  [150, 37],
  [8, 2],
  [3, 1],
  [2, 1],
  [1, 0],
])('of %i connections of an upstream legs take at most %i', (maxConnections, most) => {
  const { room } = roomAt()
  const upstream = { ...upstreamAt('narrow', 2), maxConnections }
  expect(Array.from({ length: 70 }, () => room.enter(upstream)).filter(Boolean).length).toBe(most)
  expect(room.enter(wide)).toBeDefined()
})

test('in a fleet they take a quarter of this gateway’s share', () => {
  const { room } = roomAt({ ms: 0 }, (ofFleet) => ofFleet / 3)
  const upstream = { ...upstreamAt('narrow', 2), maxConnections: 150 }
  expect(Array.from({ length: 70 }, () => room.enter(upstream)).filter(Boolean).length).toBe(12)
})

test('one at a time on behalf of one client, in the order in which they came', async () => {
  const { room } = roomAt()
  const told: string[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  room.inTurn('ada', async () => {
    told.push('ada 1')
    await promise
    told.push('ada 1 ends')
  })
  room.inTurn('ada', async () => void told.push('ada 2'))
  room.inTurn('bob', async () => void told.push('bob'))
  room.inTurn(undefined, async () => void told.push('stranger'))
  await new Promise((next) => setImmediate(next))
  expect(told).toEqual(['ada 1', 'bob', 'stranger'])
  resolve()
  await room.idle()
  expect(told).toEqual(['ada 1', 'bob', 'stranger', 'ada 1 ends', 'ada 2'])
})
