// Replicas whose Redis is gone, frozen or empty, that start again, or that stand still.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { newFolder as newCommandFolder } from '../cli/banyan.ts'
import { awakeMs } from '../harness/awake.ts'
import { places } from '../harness/places.ts'
import { newFolder, startProcess } from '../harness/process.ts'
import { adminOf, until } from '../state/store/stores.ts'
import { allAnswerFrom, order, type Replica, read, sidesOf, startFleet, storeLine } from './fleet.ts'
import { ask, newStateDir, session } from './sides.ts'

const live = `
routes:
  - name: search
    match: { path: "/search/*", methods: [GET] }
    move: { to: new, stage: live }
`
const commands = await newCommandFolder()

function two(replicas: readonly Replica[]): [Replica, Replica] {
  const [one, other] = replicas
  if (!one || !other) throw new Error('two replicas are needed')
  return [one, other]
}

test('a restart on a broken routes.yaml with Redis gone keeps a rollback that another replica decided', async () => {
  const fleet = await startFleet(2, live)
  const [one, other] = two(fleet.replicas)
  expect((await order(one, 'rollouts/search/rollback', { reason: 'it lies' })).status).toBe(200)
  await fleet.redis.kill()
  await other.close()
  const again = await fleet.join(other.stateDir, 'nonsense: {')
  await again.line(({ msg }) => msg === 'routes.yaml is broken: serving the last accepted one')
  expect(await sidesOf([again], '/search/x')).toEqual(['old'])
})

test('a Redis that was emptied gets all of it back, and tells it to whoever starts without a mirror', async () => {
  const cart = '  - { name: cart, match: { path: /cart, methods: [GET] }, move: { to: new, stage: live } }\n'
  const fleet = await startFleet(2, live + cart)
  const [one] = two(fleet.replicas)
  await order(one, 'rollouts/search/rollback', { reason: 'it lies' })
  await order(one, 'rollouts/cart/pause', { reason: 'lunch' })
  const redis = adminOf(fleet.redis)
  const isThere = async () =>
    (await redis.hmget('banyan:gateway:documents:rollouts', ':search', ':cart')).every((held) => held !== null)
  expect(await isThere()).toBe(true)
  await redis.flushall()
  await until(isThere)
  expect(await sidesOf(fleet.replicas, '/search/x')).toEqual(['old', 'old'])
  const stranger = await fleet.join()
  expect(await sidesOf([stranger], '/search/x')).toEqual(['old'])
  expect(await read(stranger, 'rollouts/cart')).toMatchObject({ overrides: { pause: { reason: 'lunch' } } })
})

test('what was paused here and rolled back there without the store is both, once it is back', async () => {
  const fleet = await startFleet(2, live)
  const [one, other] = two(fleet.replicas)
  await fleet.redis.kill()
  await Promise.all(fleet.replicas.map((replica) => storeLine(replica, 'down')))
  await Promise.all([
    order(one, 'rollouts/search/pause', { reason: 'lunch' }),
    order(other, 'rollouts/search/rollback', { reason: 'it lies' }),
  ])
  await fleet.redis.restart()
  await allAnswerFrom('old', fleet.replicas, '/search/x')
  await Promise.all([
    one.line(({ msg, isRemote }) => msg === 'rollout rollback' && isRemote === true),
    other.line(({ msg, isRemote }) => msg === 'rollout pause' && isRemote === true),
  ])
  expect((await order(one, 'rollouts/search/ack')).status).toBe(200)
  expect((await order(other, 'rollouts/search/resume')).status).toBe(200)
})

test('a rollback that was acknowledged while a replica was away does not come back with it', async () => {
  const fleet = await startFleet(2, live)
  const [one, other] = two(fleet.replicas)
  await order(one, 'rollouts/search/rollback', { reason: 'it lies' })
  await other.close()
  await order(one, 'rollouts/search/ack')
  const again = await fleet.join(other.stateDir)
  expect(await sidesOf([one, again], '/search/x')).toEqual(['new', 'new'])
})

test('an edit that takes a rollback over ends it only where the edit is served', async () => {
  const fleet = await startFleet(2, live)
  const [one, other] = two(fleet.replicas)
  await order(one, 'rollouts/search/rollback', { reason: 'it lies' })
  const edited = fleet.yaml.replace('stage: live', 'stage: legacy')
  await one.rewrite(edited)
  // Both are confirmed by the other: it knows all that is decided.
  expect((await order(one, 'rollouts/search/pause')).status).toBe(200)
  expect((await order(one, 'rollouts/search/resume')).status).toBe(200)
  expect(await sidesOf(fleet.replicas, '/search/x')).toEqual(['old', 'old'])
  await other.rewrite(edited)
  await one.rewrite(fleet.yaml)
  await other.rewrite(fleet.yaml)
  expect(await sidesOf(fleet.replicas, '/search/x')).toEqual(['new', 'new'])
})

test('a rollback holds for a replica that was behind with its file, too, once it is served there', async () => {
  const fleet = await startFleet(1, live)
  const [one] = fleet.replicas
  if (!one) throw new Error('no replica')
  const behind = await fleet.join(undefined, fleet.yaml.replace('stage: live', 'stage: legacy'))
  expect((await order(one, 'rollouts/search/rollback', { reason: 'it lies' })).status).toBe(200)
  await behind.rewrite(fleet.yaml)
  expect(await sidesOf([behind], '/search/x')).toEqual(['old'])
})

test('a promotion that not all can have heard of is told so, and the file is left as it is', async () => {
  const fleet = await startFleet(1, live.replace('stage: live', 'stage: canary, share: 5%, stickyBy: address'))
  const lonely = await fleet.join(undefined, fleet.yaml.replace('replicas: 1', 'replicas: 4').replace('5%', '6%'))
  const file = join(lonely.folder, 'routes.yaml')
  const before = await readFile(file, 'utf8')
  const why = ['--force', '--reason', 'it must']
  const ended = await commands.banyan([
    'promote',
    'search',
    '--to',
    '10%',
    ...why,
    '--admin',
    lonely.adminUrl,
    '--config',
    file,
  ])
  expect([ended.code, ended.err]).toEqual([
    3,
    expect.stringContaining('2 of 4 replicas, of which the store has not heard'),
  ])
  expect(await readFile(file, 'utf8')).toBe(before)
})

test('who finds neither store nor mirror keeps a canary at the old side until the store is back', async () => {
  const fleet = await startFleet(1, live.replace('stage: live', 'stage: canary, share: 100%, stickyBy: address'))
  expect(await sidesOf(fleet.replicas, '/search/x')).toEqual(['new'])
  await fleet.redis.kill()
  const stranger = await fleet.join()
  expect(await sidesOf([stranger], '/search/x')).toEqual(['old'])
  const found = await read<{ routes: { effective: unknown }[]; hints: string[] }>(stranger, 'status')
  expect(found.routes[0]?.effective).toMatchObject({ why: 'stateUnknown' })
  expect(found.hints).toContainEqual(expect.stringContaining('the store is down since'))
  await stranger.close()
  const again = await fleet.join(stranger.stateDir)
  expect(await sidesOf([again], '/search/x')).toEqual(['old'])
  await fleet.redis.restart()
  await allAnswerFrom('new', [again], '/search/x')
})

test('a Redis that freezes under load costs no client an error, and none more than its bound', async () => {
  const fleet = await startFleet(
    1,
    `sessionCookie: SESSION
routes:
  - name: orders
    match: { path: "/orders/*", methods: [GET] }
    move: { to: new, stage: canary, share: 50%, stickyBy: { cookie: SESSION }, readYourWrites: { after: [/orders/*], for: 1h } }
`,
  )
  const [one] = fleet.replicas
  if (!one) throw new Error('no replica')
  const took: number[] = []
  const noticed = storeLine(one, 'down')
  let isOver = false
  const client = async (name: string) => {
    for (let i = 0; !isOver; i++) {
      if (i === 20) fleet.redis.freeze()
      const askedAt = awakeMs()
      const method = i % 5 === 0 ? 'POST' : 'GET'
      const { status } = await ask(one, '/orders/7', { method, fields: session(`${name}${i}`) })
      took.push(awakeMs() - askedAt)
      expect(status).toBe(200)
    }
  }
  const clients = Promise.all(['a', 'b', 'c', 'd'].map(client))
  await noticed
  const before = took.length
  await until(async () => took.length > before + 200)
  isOver = true
  await clients
  const sorted = took.toSorted((a, b) => a - b)
  const worst = sorted.at(-1) ?? 0
  console.log(
    `${took.length} requests, p50 ${sorted[took.length >> 1]?.toFixed(1)} ms, the longest ${worst.toFixed(0)} ms`,
  )
  // 100 ms are the store's.
  expect(worst).toBeLessThan(600)
  fleet.redis.thaw()
  await storeLine(one, 'up', 1)
})

test('an order waits for a replica that stands still, and the command names it and exits 3', async () => {
  const fleet = await startFleet(1, live)
  const [one] = fleet.replicas
  if (!one) throw new Error('no replica')
  const folder = await newFolder(places + fleet.yaml)
  const still = await startProcess(folder)
  await fetch(`${still.url}/search/x`)
  onTestFinished(async () => {
    still.child.kill('SIGKILL')
    await still.exited
  })
  process.kill(still.pid, 'SIGSTOP')
  const startedAt = performance.now()
  const ended = await commands.banyan(['rollback', 'search', '--admin', one.adminUrl, '--json'])
  const tookMs = performance.now() - startedAt
  expect(ended.code).toBe(3)
  expect(ended.err).toMatch(new RegExp(`not confirmed by \\S+-${still.pid}-`))
  expect(JSON.parse(ended.out)).toMatchObject({ key: 'search', missing: [expect.stringContaining(`-${still.pid}-`)] })
  expect(tookMs).toBeGreaterThan(4_500)
  process.kill(still.pid, 'SIGCONT')
  await still.line(({ msg, isRemote }) => msg === 'rollout rollback' && isRemote === true)
  expect((await commands.banyan(['ack', 'search', '--admin', one.adminUrl])).code).toBe(0)
})

test('replicas put a client on the same side, whatever key a new one has made for itself', async () => {
  const fleet = await startFleet(
    1,
    live.replace('stage: live', 'stage: canary, share: 50%, stickyBy: { field: x-user }'),
  )
  const [one] = fleet.replicas
  if (!one) throw new Error('no replica')
  const stateDir = await newStateDir()
  await writeFile(join(stateDir, 'splitKey'), 'another key\n')
  const other = await fleet.join(stateDir)
  for (let i = 0; i < 40; i++) {
    const sides = await Promise.all(
      [one, other].map((replica) => ask(replica, '/search/x', { fields: { 'x-user': `u${i}` } })),
    )
    expect(sides[0]?.side).toBe(sides[1]?.side)
  }
})
