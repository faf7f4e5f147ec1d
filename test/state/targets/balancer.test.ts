// What the balancer remembers of targets while the file changes around it: real origins, at times of our choosing.
import type { RequestListener } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { idOf } from '../../../gateway/balancing/rendezvous.ts'
import { createForward } from '../../../gateway/forward/forward.ts'
import { createPools } from '../../../gateway/forward/pools.ts'
import { createResolver } from '../../../gateway/forward/resolve.ts'
import { fieldsOf } from '../../../gateway/message/fields.ts'
import type { Exchange, Target, Upstream } from '../../../gateway/model.ts'
import { createBalancer } from '../../../gateway/state/targets/balancer.ts'
import { allUp, type TargetHealth } from '../../../gateway/state/targets/port.ts'
import { drawsOf } from '../../comparing/sites.ts'
import { startOrigin } from '../../harness/origin.ts'
import { frozenClock, reportOf, upstreamAt } from '../../ops/world.ts'

interface Settings extends Partial<Pick<Upstream, 'slowStartMs' | 'affinity'>> {
  readonly health?: TargetHealth
  readonly listener?: RequestListener
}

async function start(count: number, { health = allUp, listener, ...settings }: Settings = {}) {
  const clock = frozenClock()
  const pools = createPools({ clock, lookup: createResolver(), contextOf: () => undefined, shareOf: (all) => all })
  const origins = await Promise.all(
    Array.from({ length: count }, () => startOrigin(listener ?? ((_, response) => response.end()))),
  )
  onTestFinished(async () => {
    await pools.destroy()
    for (const origin of origins) await origin.close()
  })
  const targets = origins.map(({ port }) => upstreamAt('old', port).target)
  const balancer = createBalancer({
    clock,
    random: drawsOf(1),
    health,
    forward: createForward({ clock, pools }),
    openAt: (upstream) => pools.loadOf(upstream, [upstream.target]).open,
  })
  const upstreamOf = (some: readonly Target[]): Upstream => ({
    ...upstreamAt('old'),
    ...settings,
    target: some[0] ?? upstreamAt('old').target,
    targets: some,
  })
  const follow = (...upstreams: Upstream[]) =>
    balancer.follow({ upstreams: new Map(upstreams.map((upstream) => [upstream.name, upstream])) })
  /** Until somebody ends the answer the request is under way. */
  const ask = (upstream: Upstream, more: Partial<Exchange> = {}) =>
    balancer.forward({ ...reportOf({ exchange: { upstream } }).exchange, ...more })
  const shareOf = async (target: Target | undefined, upstream: Upstream) => {
    let count = 0
    for (let i = 0; i < 400; i += 1) {
      const answer = await ask(upstream)
      answer.discard()
      if (answer.target === target?.origin) count += 1
    }
    return count / 400
  }
  return { clock, origins, targets, balancer, upstreamOf, follow, ask, shareOf }
}

test('a request is under way at its target until its answer has ended', async () => {
  const { upstreamOf, targets, ask, balancer } = await start(2)
  const upstream = upstreamOf(targets)
  const active = () => balancer.viewOf(upstream).targets.map((load) => load.active)
  const [first, second] = [await ask(upstream), await ask(upstream)]
  // The second goes where the first is not.
  expect(active()).toEqual([1, 1])
  first.settle({ how: 'complete', bodyBytes: 0, at: 0 })
  expect(active().sort()).toEqual([0, 1])
  second.discard()
  expect(active()).toEqual([0, 0])
})

test('a request that fails is under way no more, and says where it was', async () => {
  const { upstreamOf, targets, ask, balancer } = await start(2, { listener: ({ socket }) => socket.destroy() })
  const upstream = upstreamOf(targets)
  const failed = ask(upstream)
  await expect(failed).rejects.toMatchObject({ code: 'upstreamReset', mayHaveRun: true })
  await expect(failed).rejects.toHaveProperty('target', expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/))
  expect(balancer.viewOf(upstream).targets).toMatchObject([
    { active: 0, unreached: 0 },
    { active: 0, unreached: 0 },
  ])
})

test('what may have run is not handed to another target', async () => {
  let asked = 0
  const { upstreamOf, targets, ask } = await start(3, {
    listener({ socket }) {
      asked += 1
      socket.destroy()
    },
  })
  await expect(ask(upstreamOf(targets))).rejects.toMatchObject({ code: 'upstreamReset' })
  expect(asked).toBe(1)
})

test('what could not be handed over is not sent to another once its time is over', async () => {
  let asked = 0
  const { clock, upstreamOf, targets, origins, ask } = await start(2, {
    affinity: { by: 'cookie', name: 'NODE' },
    listener(_, response) {
      asked += 1
      response.end()
    },
  })
  const upstream = upstreamOf(targets)
  await origins[0]?.close()
  const fields = fieldsOf(['Host', 'h', 'Cookie', `NODE=${idOf('old', targets[0]?.origin ?? '')}`])
  expect((await ask(upstream, { fields })).target).toBe(targets[1]?.origin)
  // The connection to the other one stands by now: it would be sent at once.
  await expect(ask(upstream, { fields, deadlineAt: clock.now() })).rejects.toHaveProperty('target', targets[0]?.origin)
  expect(asked).toBe(1)
})

test('a target that joins others begins with a tenth of its part, and has all of it after slowStart', async () => {
  const { clock, upstreamOf, targets, follow, shareOf } = await start(3, { slowStartMs: 10_000 })
  follow(upstreamOf(targets.slice(0, 2)))
  clock.advance(60_000)
  const grown = upstreamOf(targets)
  follow(grown)
  const fresh = targets[2]
  expect(await shareOf(fresh, grown)).toBeLessThan(0.08)
  clock.advance(5_000)
  // An edit of something else does not begin it anew.
  const edited = upstreamOf(targets)
  follow(edited)
  const half = await shareOf(fresh, edited)
  expect(half).toBeGreaterThan(0.1)
  expect(half).toBeLessThan(0.25)
  clock.advance(5_000)
  expect(await shareOf(fresh, edited)).toBeGreaterThan(0.25)
})

test('targets that come together are not cold beside each other', async () => {
  const { upstreamOf, targets, follow, balancer } = await start(2, { slowStartMs: 10_000 })
  const upstream = upstreamOf(targets)
  follow(upstream)
  expect(balancer.viewOf(upstream).targets.map(({ warmth }) => warmth)).toEqual([1, 1])
})

test('a target that is back begins slowly from when it came back', async () => {
  let upSince: number | undefined
  const health = { isUp: () => true, upSince: ({ port }: Target) => (port === back() ? upSince : undefined) }
  const { clock, upstreamOf, targets, follow, shareOf } = await start(2, { slowStartMs: 10_000, health })
  const back = () => targets[1]?.port
  const upstream = upstreamOf(targets)
  follow(upstream)
  clock.advance(60_000)
  upSince = clock.now()
  expect(await shareOf(targets[1], upstream)).toBeLessThan(0.12)
  clock.advance(10_000)
  expect(await shareOf(targets[1], upstream)).toBeGreaterThan(0.4)
})

test('a target that is down is asked only when all are', async () => {
  const down = new Set<number>()
  const health = { ...allUp, isUp: ({ port }: Target) => !down.has(port) }
  const { upstreamOf, targets, ask, balancer } = await start(2, { health })
  const upstream = upstreamOf(targets)
  const [one, other] = targets
  down.add(one?.port ?? 0)
  for (let i = 0; i < 10; i += 1) expect((await ask(upstream)).target).toBe(other?.origin)
  expect(balancer.viewOf(upstream).targets.map(({ isUp }) => isUp)).toEqual([false, true])
  down.add(other?.port ?? 0)
  const asked = new Set<string | undefined>()
  for (let i = 0; i < 20; i += 1) asked.add((await ask(upstream)).target)
  expect(asked.size).toBe(2)
})

test('what is known of a target is kept from file to file, and forgotten with it', async () => {
  const { upstreamOf, targets, follow, ask, balancer, origins } = await start(2)
  const upstream = upstreamOf(targets)
  follow(upstream)
  await origins[0]?.close()
  for (let i = 0; i < 10; i += 1) await ask(upstream)
  const missed = () => balancer.viewOf(upstreamOf(targets)).targets[0]?.unreached
  expect(missed()).toBeGreaterThan(0)
  follow(upstreamOf(targets))
  expect(missed()).toBeGreaterThan(0)
  follow(upstreamOf(targets.slice(1)))
  follow(upstreamOf(targets))
  expect(missed()).toBe(0)
})

test('an upstream of one target is asked as it is, and its answers name no target', async () => {
  const { upstreamOf, targets, ask } = await start(1)
  expect((await ask(upstreamOf(targets))).target).toBeUndefined()
})
