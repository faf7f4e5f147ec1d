// What a limit is told of the answers that come back, and that whoever waits for it does not wait for ever.
import type { Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAdaptive } from '../../gateway/forward/adaptive.ts'
import type { Answered, ConcurrencyLimit, Exchange, Upstream } from '../../gateway/model.ts'
import { startScriptedOrigin } from '../harness/origin.ts'
import { bodyOf, exchangeOf, openWorld, upstreamTo } from './world.ts'

async function newWorld(act: (socket: Socket) => void, over: Partial<Upstream> = {}) {
  const origin = await startScriptedOrigin(act)
  onTestFinished(() => origin.close())
  const world = openWorld()
  onTestFinished(world.pools.destroy)
  const told: Answered[] = []
  let most = 2
  const limit: ConcurrencyLimit = { most: () => most, took: (answered) => told.push(answered) }
  const adaptive = createAdaptive({ clock: world.clock, forward: world.forward, limitOf: () => limit })
  const upstream = upstreamTo(origin.port, over)
  return {
    world,
    upstream,
    told,
    heads: origin.heads,
    waiting: () => adaptive.waitingOf(upstream),
    bound(at: number) {
      most = at
    },
    ask(changes: Partial<Exchange> = {}) {
      const { exchange, leave } = exchangeOf(upstream)
      const answer = adaptive.forward({ ...exchange, ...changes })
      const result = answer.then(
        async (got) => `${got.status} ${await bodyOf(got).catch(() => 'broken')}`,
        (thrown) => thrown.code as string,
      )
      return { result, leave }
    },
  }
}

const fine = (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine')

describe('a limit is told', () => {
  test('what each answer took, and how many were under way', async () => {
    const waiting: Socket[] = []
    const { ask, told, world, heads } = await newWorld((socket) => {
      waiting.push(socket)
      if (waiting.length === 2) {
        world.advance(40)
        for (const one of waiting) fine(one)
      }
    })
    const first = ask()
    while (heads.length === 0) await new Promise(setImmediate)
    const answers = [first, ask()]
    expect(await Promise.all(answers.map(({ result }) => result))).toEqual(['200 fine', '200 fine'])
    expect(heads).toHaveLength(2)
    expect(told).toEqual([
      { tookMs: 40, startedAt: 1_000_000, active: 1 },
      { tookMs: 40, startedAt: 1_000_000, active: 2 },
    ])
  })

  test('nothing of a 5xx, a reset or a refusal: a failure is fast', async () => {
    const failures = [
      (socket: Socket) => socket.write('HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy'),
      (socket: Socket) => socket.resetAndDestroy(),
    ]
    for (const failure of failures) {
      const { ask, told } = await newWorld(failure)
      await ask().result
      expect(told).toEqual([])
    }
  })

  test('how long somebody waited in vain', async () => {
    const { ask, told } = await newWorld(() => {}, { firstByteMs: 1 })
    expect(await ask().result).toBe('upstreamFirstByteTimeout')
    expect(told).toHaveLength(1)
  })
})

describe('a request for which there is no room', () => {
  test('goes when another’s answer has begun, whatever becomes of that one’s body', async () => {
    const { ask, bound, heads } = await newWorld((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'),
    )
    bound(1)
    for (let i = 0; i < 5; i++) ask()
    while (heads.length < 5) await new Promise(setImmediate)
    expect(heads).toHaveLength(5)
  })

  test('is told so when its time has passed: the gateway’s doing, and nothing was sent', async () => {
    const { ask, bound, heads, upstream } = await newWorld(() => {})
    bound(1)
    ask()
    while (heads.length === 0) await new Promise(setImmediate)
    const hurried = { upstream: { ...upstream, connectMs: 1 } }
    expect(await ask(hurried).result).toBe('upstreamBusy')
    expect(heads).toHaveLength(1)
  })

  test('is told by its client’s own deadline that this has passed', async () => {
    const { ask, bound, world } = await newWorld(() => {})
    bound(1)
    ask()
    const deadline = { deadlineAt: world.clock.now() + 1, isClientsDeadline: true }
    expect(await ask(deadline).result).toBe('clientDeadlinePassed')
  })

  test('is dropped at once when so many wait already, one that yields before others', async () => {
    const { ask, bound } = await newWorld(() => {}, { maxPending: 1, connectMs: 60_000 })
    bound(1)
    ask()
    const yielding = ask({ yields: true })
    ask()
    expect(await yielding.result).toBe('upstreamBusy')
    expect(await ask().result).toBe('upstreamBusy')
  })

  test('is nobody’s any more when its client leaves', async () => {
    const { ask, bound, waiting } = await newWorld(() => {}, { connectMs: 60_000 })
    bound(1)
    ask()
    const leaving = ask()
    expect(waiting()).toBe(1)
    leaving.leave()
    expect(await leaving.result).toBe('clientGone')
    expect(waiting()).toBe(0)
  })
})
