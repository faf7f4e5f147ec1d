// Whether a candidate may be sent writes: asked at a real one, at times of our choosing.
import { expect, onTestFinished, test } from 'vitest'
import { createForward } from '../../gateway/forward/forward.ts'
import { createPools } from '../../gateway/forward/pools.ts'
import { createResolver } from '../../gateway/forward/resolve.ts'
import type { Exchange } from '../../gateway/model.ts'
import { startLegTime } from '../../gateway/state/legTime.ts'
import { createCapabilities } from '../../gateway/state/otherSide.ts'
import { startOrigin } from '../harness/origin.ts'
import { frozenClock, reportOf, upstreamAt } from '../ops/world.ts'

async function startCandidate() {
  const candidate = { word: '?1' as string | undefined, asked: 0 }
  const origin = await startOrigin((_, response) => {
    candidate.asked += 1
    response.writeHead(200, candidate.word === undefined ? {} : { 'Shadow-Safe': candidate.word }).end()
  })
  const clock = frozenClock()
  const pools = createPools({
    clock,
    lookup: createResolver(),
    contextOf: () => undefined,
    shareOf: (ofFleet) => ofFleet,
  })
  onTestFinished(async () => {
    pools.destroy()
    await origin.close()
  })
  const capabilities = createCapabilities(createForward({ clock, pools }), clock)
  const { exchange } = reportOf({ exchange: { method: 'POST', upstream: upstreamAt('new', origin.port) } })
  const isSafe = (time = startLegTime(5_000), leg: Exchange = exchange) => {
    return capabilities.isSafe(leg, '/probe', time).finally(time.stop)
  }
  return { candidate, clock, exchange, isSafe, forget: () => capabilities.forget(exchange) }
}

test('what a candidate has said holds for a minute, and is then asked again', async () => {
  const { candidate, clock, isSafe } = await startCandidate()
  expect(await isSafe()).toBe(true)
  candidate.word = undefined
  clock.advance(59_999)
  expect(await isSafe()).toBe(true)
  expect(candidate.asked).toBe(1)
  clock.advance(1)
  expect(await isSafe()).toBe(false)
  candidate.word = '?1'
  expect(await isSafe()).toBe(false)
  clock.advance(60_000)
  expect(await isSafe()).toBe(true)
  expect(candidate.asked).toBe(3)
})

test('what was forgotten is asked again at once', async () => {
  const { candidate, isSafe, forget } = await startCandidate()
  expect(await isSafe()).toBe(true)
  candidate.word = '?0'
  forget()
  expect(await isSafe()).toBe(false)
})

test('several at the same time ask once', async () => {
  const { candidate, isSafe } = await startCandidate()
  expect(await Promise.all([isSafe(), isSafe(), isSafe()])).toEqual([true, true, true])
  expect(candidate.asked).toBe(1)
})

test('on behalf of whom the time is over nobody is asked', async () => {
  const { candidate, isSafe } = await startCandidate()
  const time = startLegTime(5_000)
  time.end()
  expect(await isSafe(time)).toBe(false)
  expect(candidate.asked).toBe(0)
})

test('a candidate of several targets is safe once each of them has said so', async () => {
  const [one, other] = [await startCandidate(), await startCandidate()]
  const targets = [one, other].map(({ exchange }) => exchange.upstream.target)
  const leg = { ...one.exchange, upstream: { ...one.exchange.upstream, targets } }
  other.candidate.word = undefined
  expect(await one.isSafe(startLegTime(5_000), leg)).toBe(false)
  expect([one.candidate.asked, other.candidate.asked]).toEqual([1, 1])
  other.candidate.word = '?1'
  one.clock.advance(60_000)
  expect(await one.isSafe(startLegTime(5_000), leg)).toBe(true)
})
