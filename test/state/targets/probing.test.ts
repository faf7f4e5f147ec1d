// Checks over real sockets, made when the test says that their time has come.
import { describe, expect, onTestFinished, test } from 'vitest'
import { Failure } from '../../../gateway/errors.ts'
import type { HealthSettings, Next, TargetTurn, Upstream } from '../../../gateway/model.ts'
import { createProbing } from '../../../gateway/state/targets/probing.ts'
import { openWorld, targetAt, upstreamTo } from '../../forward/world.ts'
import { startOrigin, startScriptedOrigin } from '../../harness/origin.ts'
import { snapshotOf } from '../../ops/world.ts'

const health: HealthSettings = { path: '/healthz', everyMs: 2_000, timeoutMs: 30_000, unhealthy: 2, healthy: 1 }

interface Planned {
  readonly run: () => void
  readonly afterMs: number
}

/** @param given in place of a forward to real sockets */
function newProbing(given?: Next) {
  const world = openWorld()
  onTestFinished(world.pools.destroy)
  const planned = new Set<Planned>()
  let plan = () => {}
  const turns: TargetTurn[] = []
  const probing = createProbing({
    clock: world.clock,
    random: () => 0.25,
    forward: given ?? world.forward,
    schedule(run, afterMs) {
      const one = { run, afterMs }
      planned.add(one)
      plan()
      return () => planned.delete(one)
    },
    turned: (turn) => turns.push(turn),
  })
  onTestFinished(probing.close)
  return {
    probing,
    world,
    turns,
    waits: () => Array.from(planned, ({ afterMs }) => afterMs),
    follow: (...upstreams: Upstream[]) => probing.follow(snapshotOf({ upstreams })),
    /** Makes the check that is due, and waits until the next one is planned. */
    async check() {
      const next = new Promise<void>((resolve) => {
        plan = resolve
      })
      for (const one of [...planned]) {
        planned.delete(one)
        one.run()
      }
      await next
    },
  }
}

async function startAnswering(status: () => number, heads: string[] = []) {
  const origin = await startOrigin((request, response) => {
    heads.push(`${request.method} ${request.url} ${request.rawHeaders.join(' ')}`)
    response.writeHead(status()).end('x')
  })
  onTestFinished(() => origin.close())
  return origin
}

const to = (port: number, over: Partial<Upstream> = {}) => upstreamTo(port, { health, ...over })

describe('a target that is checked', () => {
  test('is asked at a moment of its first period, then once in each, with nothing of a client in it', async () => {
    const heads: string[] = []
    const { port } = await startAnswering(() => 204, heads)
    const { probing, follow, check, waits } = newProbing()
    const upstream = to(port)
    follow(upstream)
    expect(waits()).toEqual([500])
    await check()
    expect(waits()).toEqual([2_000])
    expect(heads).toEqual([`GET /healthz Host 127.0.0.1:${port} User-Agent banyan Banyan-Role health Connection close`])
    expect(probing.viewOf(upstream, upstream.target)).toEqual({ isWell: true, good: 1, failed: 0 })
  })

  test('is down after so many that failed, and up after so many that did not', async () => {
    let status = 500
    const { port } = await startAnswering(() => status)
    const { probing, world, follow, check, turns } = newProbing()
    const upstream = to(port)
    const { target } = upstream
    follow(upstream)
    await check()
    expect(probing.isUp(target, upstream)).toBe(true)
    await check()
    expect(probing.isUp(target, upstream)).toBe(false)
    status = 302
    world.advance(60_000)
    await check()
    expect([probing.isUp(target, upstream), probing.upSince(target, upstream)]).toEqual([true, world.clock.now()])
    expect(turns.map(({ to, reason }) => `${to}: ${reason}`)).toEqual([
      'unhealthy: 2 checks in a row said so: /healthz was answered 500',
      'healthy: 1 check said so: /healthz was answered 302',
    ])
  })

  test('has failed when it refuses, breaks off, or does not answer in time', async () => {
    const gone = await startAnswering(() => 200)
    await gone.close()
    const breaking = await startScriptedOrigin((socket) => socket.resetAndDestroy())
    onTestFinished(() => breaking.close())
    const hanging = await startScriptedOrigin(() => {})
    onTestFinished(() => hanging.close())
    const failures = []
    for (const { port } of [gone, breaking, hanging]) {
      const { follow, check, turns } = newProbing()
      follow(to(port, { health: { ...health, unhealthy: 1, timeoutMs: port === hanging.port ? 1 : 30_000 } }))
      await check()
      failures.push(turns[0]?.reason)
    }
    expect(failures).toEqual([
      '1 check said so: /healthz was not answered: upstreamRefused',
      '1 check said so: /healthz was not answered: upstreamReset',
      '1 check said so: /healthz was not answered within 1 ms',
    ])
  })

  test('has not failed when the gateway could not ask', async () => {
    const { probing, follow, check } = newProbing(async () => {
      throw new Failure('upstreamBusy', 'no descriptors are left')
    })
    const upstream = to(1)
    follow(upstream)
    await check()
    expect(probing.viewOf(upstream, upstream.target)).toEqual({ isWell: true, good: 0, failed: 0 })
  })

  test('is asked in another rhythm, and at another path, from the moment that the file says so; what is known of it stays', async () => {
    const heads: string[] = []
    const { port } = await startAnswering(() => 500, heads)
    const { probing, follow, check, waits } = newProbing()
    follow(to(port))
    await check()
    await check()
    const edited = to(port, { health: { ...health, path: '/ready', everyMs: 100 } })
    follow(edited)
    expect(waits()).toEqual([25])
    expect(probing.isUp(edited.target, edited)).toBe(false)
    await check()
    expect(heads.at(-1)).toMatch(/^GET \/ready /)
    follow({ ...edited, idleMs: 1 })
    expect(waits()).toEqual([100])
  })

  test('is asked no more once it has left the file, or the gateway ends', async () => {
    const { port } = await startAnswering(() => 500)
    const { probing, follow, waits } = newProbing()
    const both = to(port, { targets: [targetAt(port), targetAt(1)] })
    follow(both)
    expect(waits()).toHaveLength(2)
    follow(to(port))
    expect(waits()).toHaveLength(1)
    expect(probing.viewOf(both, targetAt(1))).toBeUndefined()
    probing.close()
    expect(waits()).toEqual([])
  })

  test('is each upstream’s own affair where two share it', async () => {
    const { port } = await startAnswering(() => 500)
    const { probing, follow, check } = newProbing()
    const [one, other] = [to(port, { health: { ...health, unhealthy: 1 } }), upstreamTo(port, { name: 'new' })]
    follow(one, other)
    await check()
    expect([probing.isUp(one.target, one), probing.isUp(one.target, other)]).toEqual([false, true])
  })
})
