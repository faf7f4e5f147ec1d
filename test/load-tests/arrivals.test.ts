import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { poissonTimes, runArrivals, type Ticker } from '../../load-tests/arrivals.ts'
import { spreadOf } from '../../load-tests/percentiles.ts'
import { randomFrom } from '../../services/kit/prng.ts'

/** A clock that only moves when it is told to, and a queue of who waits for it. */
function frozenTicker(): Ticker & { advance(ms: number): void } {
  let now = 1000
  let waiting: { at: number; callback: () => void } | undefined
  return {
    now: () => now,
    after: (delayMs, callback) => {
      waiting = { at: now + delayMs, callback }
    },
    advance(ms) {
      now += ms
      if (!waiting || waiting.at > now) return
      const { callback } = waiting
      waiting = undefined
      callback()
    },
  }
}

describe('the times of arrivals', () => {
  it('are the same for the same seed and others for another', () => {
    const times = (seed: number) => [...poissonTimes({ ratePerSecond: 100, seconds: 2 }, randomFrom(seed))]
    expect(times(1)).toEqual(times(1))
    expect(times(1)).not.toEqual(times(2))
  })

  it('ascend, stay within the run and come at the rate asked for', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 50, max: 500 }), (seed, ratePerSecond) => {
        const times = [...poissonTimes({ ratePerSecond, seconds: 20 }, randomFrom(seed))]
        expect(times).toEqual([...times].sort((a, b) => a - b))
        expect(times.every((time) => time > 0 && time < 20_000)).toBe(true)
        const mean = ratePerSecond * 20
        // Six standard deviations of a Poisson count.
        expect(Math.abs(times.length - mean)).toBeLessThan(6 * Math.sqrt(mean))
      }),
      { seed: 7, numRuns: 60 },
    )
  })

  it('have gaps that vary as much as they last on average, as a Poisson process has', () => {
    const times = [...poissonTimes({ ratePerSecond: 1000, seconds: 20 }, randomFrom(3))]
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number))
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length
    expect(mean).toBeCloseTo(1, 1)
    expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1)
  })
})

describe('runArrivals', () => {
  it('launches each arrival when its time has come, without waiting for what it launched', async () => {
    const ticker = frozenTicker()
    const launched: number[] = []
    const done = runArrivals([5, 10, 30], ticker, (at) => launched.push(at))
    expect(launched).toEqual([])
    ticker.advance(5)
    expect(launched).toEqual([1005])
    ticker.advance(5)
    expect(launched).toEqual([1005, 1010])
    ticker.advance(20)
    expect(launched).toEqual([1005, 1010, 1030])
    await done
  })

  it('after a stall launches at once all that is due, with the times for which it was scheduled, and skips none', async () => {
    const ticker = frozenTicker()
    const launched: number[] = []
    const done = runArrivals([1, 2, 3, 500], ticker, (at) => launched.push(at))
    ticker.advance(400)
    expect(launched).toEqual([1001, 1002, 1003])
    ticker.advance(100)
    await done
    expect(launched).toEqual([1001, 1002, 1003, 1500])
  })

  it('waits again when its timer fires early', () => {
    const ticker = frozenTicker()
    let fire = () => {}
    const launched: number[] = []
    const early: Ticker = { now: ticker.now, after: (_delayMs, callback) => (fire = callback) }
    void runArrivals([5], early, (at) => launched.push(at))
    ticker.advance(4)
    fire()
    expect(launched).toEqual([])
    ticker.advance(1)
    fire()
    expect(launched).toEqual([1005])
  })

  it('rejects when a launch throws', async () => {
    const ticker = frozenTicker()
    const done = runArrivals([0], ticker, () => {
      throw new Error('broken launch')
    })
    await expect(done).rejects.toThrow('broken launch')
  })
})

describe('spreadOf', () => {
  it('is exact by nearest rank, in any order of the values', () => {
    const values = Array.from({ length: 200 }, (_, i) => 200 - i)
    expect(spreadOf(values)).toEqual({ count: 200, p50: 100, p99: 198, max: 200 })
    expect(spreadOf([7])).toEqual({ count: 1, p50: 7, p99: 7, max: 7 })
  })

  it('has no figure for nothing', () => {
    expect(spreadOf([])).toBeUndefined()
  })
})
