// What replicas share through a real Redis, and what they do without it.
import { expect, test } from 'vitest'
import { awakeMs } from '../harness/awake.ts'
import { until } from '../state/store/stores.ts'
import { allAnswerFrom, order, type Replica, read, sidesOf, startFleet, storeLine } from './fleet.ts'
import { ask, session } from './sides.ts'

const live = `
routes:
  - name: search
    match: { path: "/search/*", methods: [GET] }
    move: { to: new, stage: live }
`

test('a rollback at one replica is a rollback at all of them, and is confirmed by all', async () => {
  const { replicas } = await startFleet(3, live)
  const [one, ...others] = replicas
  if (!one) throw new Error('no replica')
  expect(await sidesOf(replicas, '/search/x')).toEqual(['new', 'new', 'new'])
  const startedAt = awakeMs()
  const ordered = order(one, 'rollouts/search/rollback', { reason: 'it lies' })
  await allAnswerFrom('old', replicas, '/search/x')
  const tookMs = awakeMs() - startedAt
  expect((await ordered).status).toBe(200)
  console.log(
    `rolled back everywhere after ${tookMs.toFixed(0)} ms, confirmed after ${(awakeMs() - startedAt).toFixed(0)} ms`,
  )
  expect(tookMs).toBeLessThan(1_000)
  for (const other of others) {
    const line = await other.line(({ msg }) => msg === 'rollout rollback')
    expect(line).toMatchObject({ rollout: 'search', by: 'cli:ann', reason: 'it lies', isRemote: true })
  }
})

test('what one has paused another resumes, and every history tells of both once', async () => {
  const { replicas } = await startFleet(2, live)
  const [one, other] = replicas
  if (!one || !other) throw new Error('no replica')
  expect((await order(one, 'rollouts/search/pause', { reason: 'lunch' })).status).toBe(200)
  expect((await order(other, 'rollouts/search/resume', { reason: 'back' })).status).toBe(200)
  await one.line(({ msg }) => msg === 'rollout resume')
  for (const replica of replicas) {
    const { records } = await read<{ records: { kind: string }[] }>(replica, 'history?rollout=search')
    expect(records.map(({ kind }) => kind)).toEqual(['pause', 'resume'])
  }
})

test('without the store each goes on, and a rollback reaches the others once it is back', async () => {
  const { replicas, redis } = await startFleet(2, live)
  const [one, other] = replicas
  if (!one || !other) throw new Error('no replica')
  await redis.kill()
  await Promise.all(replicas.map((replica) => storeLine(replica, 'down')))
  expect(await sidesOf(replicas, '/search/x')).toEqual(['new', 'new'])
  const ordered = await order(one, 'rollouts/search/rollback', { reason: 'it lies' })
  expect(ordered.status).toBe(504)
  expect(ordered.body).toMatchObject({ missing: [expect.stringContaining('all others of 2 replicas')] })
  expect(await sidesOf(replicas, '/search/x')).toEqual(['old', 'new'])
  expect(await one.metric('banyan_store_up')).toBe(0)
  await redis.restart()
  await Promise.all(replicas.map((replica) => storeLine(replica, 'up', 1)))
  const tookMs = await allAnswerFrom('old', replicas, '/search/x')
  console.log(`the rollback reached the other ${tookMs.toFixed(0)} ms after the store was back`)
})

test('a candidate that fails too little for anybody alone is rolled back by what all have seen', async () => {
  const { replicas } = await startFleet(
    2,
    live.replace(
      'stage: live',
      'stage: live, guard: { maxErrorShare: 5%, minRequests: 40, window: 30s, failuresInARow: 100 }',
    ),
  )
  const verdict = async (replica: Replica) =>
    (await read<{ verdict?: { result: string } }>(replica, 'rollouts/search')).verdict?.result
  const [one, other] = replicas
  if (!one || !other) throw new Error('no replica')
  const trouble = async (replica: Replica) => {
    for (let i = 0; i < 30; i++) await ask(replica, i % 3 === 0 ? '/search/503' : '/search/x')
  }
  await trouble(one)
  await until(async () => (await verdict(one)) === 'inconclusive')
  const startedAt = performance.now()
  await trouble(other)
  const told = await Promise.all(replicas.map((replica) => replica.line(({ msg }) => msg === 'rollout rollback')))
  console.log(`rolled back by the sum ${(performance.now() - startedAt).toFixed(0)} ms after the second began to fail`)
  expect(told.map(({ by }) => by)).toEqual(['guard', 'guard'])
  expect(await sidesOf(replicas, '/search/x')).toEqual(['old', 'old'])
})

test('who writes at one replica reads from that side at another', async () => {
  const { replicas } = await startFleet(
    2,
    `sessionCookie: SESSION
routes:
  - name: orders
    match: { path: "/orders/*", methods: [GET] }
    move: { to: new, stage: canary, share: 100%, stickyBy: { cookie: SESSION }, readYourWrites: { after: [/orders/*], for: 1h } }
`,
  )
  const [one, other] = replicas
  if (!one || !other) throw new Error('no replica')
  expect((await ask(other, '/orders/7', { fields: session('ann') })).side).toBe('new')
  expect((await ask(one, '/orders/7', { method: 'POST', fields: session('ann') })).side).toBe('old')
  expect((await ask(other, '/orders/7', { fields: session('ann') })).side).toBe('old')
  expect((await ask(other, '/orders/7', { fields: session('bob') })).side).toBe('new')
})
