// What guards hear of each other through a real Redis, second by second.
import { expect, test } from 'vitest'
import { noCounts, place } from '../../gateway/rollout/counts.ts'
import { standingAt } from '../../gateway/rollout/standing.ts'
import type { Seen } from '../../gateway/state/guarding.ts'
import type { RolloutState } from '../../gateway/state/rolloutBook.ts'
import { shareCounts } from '../../gateway/state/sharing/counts.ts'
import { rolloutOf } from '../rollout/declared.ts'
import { openStore, redisForTest } from './store/stores.ts'

const canary = standingAt('canary', { shareBasisPoints: 1_000 })

function standingOf(key: string, standing = canary): RolloutState {
  return { rollout: rolloutOf(key, standing), effective: { ...standing, why: 'file' }, overrides: {}, since: 0 }
}

function seen(requests: number, row = 0): Seen {
  const counts = noCounts.map((_, index) => (index === place.requests ? requests : 0))
  return {
    spans: [2_000, 30_000].map((spanMs) => ({ spanMs, candidate: counts, control: noCounts })),
    rows: { candidate: row, control: 0 },
  }
}

/** Replicas of one Redis, with one clock that only the test moves on. */
async function countersOf(...ids: readonly string[]) {
  const redis = await redisForTest()
  let wall = 1_000_000_500
  const clock = { now: () => 0, wall: () => wall }
  const counters = await Promise.all(
    ids.map(async (id) => shareCounts({ store: await openStore(redis.url, { replicaId: id }), id, clock })),
  )
  /** Each has seen that many requests, and failures in a row, in this second. */
  const second = async (state: RolloutState, ...each: readonly (readonly [number, number])[]) => {
    for (const [i, [requests, row]] of each.entries())
      await counters[i]?.exchange(new Map([[state, seen(requests, row)]]))
    wall += 1_000
  }
  return { counters, second, redis }
}

const requestsOf = (found: Seen | undefined) => found?.spans.map(({ candidate }) => candidate[place.requests] ?? 0)

test('each hears what the others have seen, without its own', async () => {
  const { counters, second } = await countersOf('a', 'b', 'c')
  const search = standingOf('search')
  for (const more of [0, 1, 2]) await second(search, [10 + more, 1], [200 + more, 7], [3000 + more, 2])
  // Of the second before the last one: all have spoken for that.
  expect(requestsOf(counters[0]?.of(search))).toEqual([3202, 3202])
  expect(requestsOf(counters[1]?.of(search))).toEqual([3012, 3012])
  expect(counters[0]?.of(search)?.rows).toEqual({ candidate: 7, control: 0 })
})

test('what others saw while the move stood elsewhere, and of other moves, is not heard', async () => {
  const { counters, second } = await countersOf('a', 'b')
  const [before, now] = [standingOf('search'), standingOf('search', standingAt('live'))]
  for (let i = 0; i < 3; i++) await second(before, [10, 0], [20, 0])
  expect(requestsOf(counters[0]?.of(before))).toEqual([20, 20])
  expect(counters[0]?.of(now)).toBeUndefined()
  expect(counters[0]?.of(standingOf('searches'))).toBeUndefined()
})

test('a replica that misses a second is heard, and one that has gone is not', async () => {
  const { counters, second } = await countersOf('a', 'b')
  const search = standingOf('search')
  for (let i = 0; i < 3; i++) await second(search, [10, 0], [20, 0])
  await second(search, [10, 0])
  await second(search, [10, 0])
  expect(requestsOf(counters[0]?.of(search))).toEqual([20, 20])
  for (let i = 0; i < 2; i++) await second(search, [10, 0])
  expect(requestsOf(counters[0]?.of(search)) ?? [0, 0]).toEqual([0, 0])
})

test('without the store each has its own alone', async () => {
  const { counters, second, redis } = await countersOf('a', 'b')
  const search = standingOf('search')
  for (let i = 0; i < 3; i++) await second(search, [10, 0], [20, 0])
  await redis.kill()
  await second(search, [10, 0], [20, 0])
  expect(counters[0]?.of(search)).toBeUndefined()
})
