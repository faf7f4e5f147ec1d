// Who has written lately: for as long as the rollout says, and for no more clients than there is room for.
import { expect, test } from 'vitest'
import { createRecentWrites } from '../../gateway/state/recentWrites.ts'
import { rolloutOf } from '../rollout/declared.ts'

const rollout = rolloutOf('orders', { readYourWrites: { after: [], forMs: 5_000 } })
const long = rolloutOf('carts', { readYourWrites: { after: [], forMs: 60_000 } })

function started(most?: number) {
  let nowMs = 0
  const writes = createRecentWrites({ now: () => nowMs }, most)
  return {
    took: (identity: string, upstream: string, of = rollout) => writes.took({ rollout: of, identity }, upstream),
    takenBy: (identity: string, of = rollout) => writes.takenBy({ rollout: of, identity }),
    wind: (ms: number) => {
      nowMs = ms
    },
  }
}

test('a write is remembered for as long as its rollout says, from the last one on', () => {
  const { took, takenBy, wind } = started()
  took('ann', 'new')
  wind(4_999)
  expect(takenBy('ann')).toBe('new')
  took('ann', 'old')
  wind(5_000)
  expect(takenBy('ann')).toBe('old')
  wind(9_999)
  expect(takenBy('ann')).toBeUndefined()
})

test('each client has his own, and each rollout', () => {
  const { took, takenBy } = started()
  took('ann', 'new')
  took('ann', 'old', long)
  expect([takenBy('ann'), takenBy('ann', long), takenBy('bob')]).toEqual(['new', 'old', undefined])
})

test('a rollout that asks for nothing is told nothing', () => {
  const { took, takenBy } = started()
  took('ann', 'new', rolloutOf('search'))
  expect(takenBy('ann', rolloutOf('search'))).toBeUndefined()
})

test('beyond the most clients those are forgotten who have not written for the longest time', () => {
  const { took, takenBy } = started(3)
  for (const identity of ['ann', 'bob', 'eve', 'ann', 'joe']) took(identity, 'new')
  expect(['ann', 'bob', 'eve', 'joe'].map((identity) => takenBy(identity))).toEqual(['new', undefined, 'new', 'new'])
})

test('whose time is over makes room for others', () => {
  const { took, takenBy, wind } = started(3)
  took('ann', 'new')
  took('bob', 'new', long)
  wind(6_000)
  took('joe', 'new')
  took('kim', 'new')
  expect([takenBy('bob', long), takenBy('joe'), takenBy('kim')]).toEqual(['new', 'new', 'new'])
})

test('a hundred thousand clients with long cookies take a few megabytes', () => {
  const { took, takenBy } = started()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < 120_000; i++) took(`${i} ${'x'.repeat(1_000)}`, 'new')
  expect(takenBy(`19999 ${'x'.repeat(1_000)}`)).toBeUndefined()
  expect(takenBy(`20000 ${'x'.repeat(1_000)}`)).toBe('new')
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(100 * 1024 * 1024)
})
