// The guard over simulated traffic: quick when a candidate breaks, silent when two sides are equal. Larger figures: measure.ts
// and false-alarms.ts, run by hand.
import { describe, expect, test } from 'vitest'
import { seed } from './seed.ts'
import { failing, simulate, type Traffic } from './simulate.ts'

const at = (perSecond: number, share: number): Traffic => ({ perSecond, outcome: failing(share) })

/** Seconds from the first failure of a candidate that begins to fail to the verdict. */
function secondsToFail(its: number): number {
  const simulation = simulate({ seed: its })
  simulation.run(60, { old: at(100, 0), new: at(100, 0) })
  let firstMs = Number.POSITIVE_INFINITY
  const outcome: Traffic['outcome'] = (random) => {
    const one = failing(0.05)(random)
    if (one.status === 500) firstMs = Math.min(firstMs, simulation.nowMs())
    return one
  }
  simulation.run(20, { old: at(100, 0), new: { perSecond: 100, outcome } }, ({ result }) => result === 'fail')
  return (simulation.nowMs() - firstMs) / 1_000
}

test(`a candidate that begins to fail 5 % of 100 requests a second fails within 5 s of its first failure (seed ${seed})`, () => {
  const late = Array.from({ length: 60 }, (_, index) => secondsToFail(seed + index)).filter((time) => time > 5)
  // Measured over thousands: one in a thousand is late.
  expect(late.length, `late: ${late}`).toBeLessThanOrEqual(2)
})

describe(`two equal sides (seed ${seed})`, () => {
  test.each([
    { it: '100/s each at 1 %', old: at(100, 0.01), new: at(100, 0.01), minutes: 10 },
    { it: '1/s and 99/s at 1 %', old: at(1, 0.01), new: at(99, 0.01), minutes: 10 },
    { it: '99/s and 1/s at 1 %', old: at(99, 0.01), new: at(1, 0.01), minutes: 20 },
    { it: '1/s each at 1 %', old: at(1, 0.01), new: at(1, 0.01), minutes: 30 },
  ])('of $it neither fail nor alarm, and pass', (sides) => {
    const seen = { pass: 0, inconclusive: 0, fail: 0, alarm: 0 }
    simulate({ seed }).run(sides.minutes * 60, sides, ({ result }) => {
      seen[result]++
      return false
    })
    expect(seen).toMatchObject({ fail: 0, alarm: 0 })
    expect(seen.pass).toBeGreaterThan(sides.minutes * 60 * 0.5)
  })

  test('that fail together for a minute are not told apart', () => {
    const simulation = simulate({ seed })
    const results: string[] = []
    for (const share of [0.01, 0.2, 0.01]) {
      simulation.run(60, { old: at(100, share), new: at(100, share) }, ({ result }) => {
        results.push(result)
        return false
      })
    }
    expect(results).not.toContain('fail')
    expect(results.at(-1)).toBe('pass')
  })
})

test('a route that nobody asks stays inconclusive', () => {
  const judgeable = simulate({ seed }).run(
    600,
    { old: at(0, 0), new: at(0, 0) },
    ({ result }) => result !== 'inconclusive',
  )
  expect(judgeable).toBe(false)
})
