// What a budget lets through, whatever is asked of it, in whatever order, by whatever clock.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { draw, leftOf, levelAt, resetMs, settle, shareOf, waitMs } from '../../gateway/limiting/budget.ts'
import type { Budget, Level } from '../../gateway/model.ts'

const perMinute = (most: number): Budget => ({ most, perMs: most / 60_000 })
const daily = (most: number): Budget => ({ most, perMs: 0 })
const dayMs = 86_400_000

/** Draws one cost after another. @returns which were met, and the level then */
function run(budget: Budget, asked: readonly (readonly [at: number, cost: number])[]) {
  let level: Level | undefined
  const met = asked.map(([at, cost]) => {
    const drawn = draw(budget, level, cost, at)
    level = drawn.level
    return drawn.isMet
  })
  return { met, level: level as Level }
}

describe('a budget by the minute', () => {
  test.each([
    [
      'all of it may be used at once, and no more',
      3,
      [
        [0, 1],
        [0, 1],
        [0, 1],
        [0, 1],
      ],
      'yyyn',
    ],
    [
      'it comes back evenly',
      60,
      [
        [0, 60],
        [999, 1],
        [1000, 1],
        [1000, 1],
        [2000, 1],
      ],
      'ynyny',
    ],
    [
      'a cost is taken whole or not at all',
      10,
      [
        [0, 7],
        [0, 4],
        [0, 3],
        [0, 1],
      ],
      'ynyn',
    ],
    [
      'what is refused costs nothing',
      60,
      [
        [0, 60],
        [0, 5],
        [0, 5],
        [1000, 1],
      ],
      'ynny',
    ],
    [
      'what costs nothing is never refused',
      1,
      [
        [0, 1],
        [0, 0],
        [0, 0],
      ],
      'yyy',
    ],
    [
      'after any pause there is no more than all of it',
      3,
      [
        [0, 3],
        [dayMs, 3],
        [dayMs, 1],
      ],
      'yyn',
    ],
  ] as const)('%s', (_, most, asked, met) => {
    expect(
      run(perMinute(most), asked)
        .met.map((isMet) => (isMet ? 'y' : 'n'))
        .join(''),
    ).toBe(met)
  })

  test('says what is left, when there is room again and when nothing is used', () => {
    const budget = perMinute(60)
    const { level } = run(budget, [[5000, 50]])
    expect([leftOf(budget, level), waitMs(budget, level, 10), resetMs(budget, level)]).toEqual([10, 0, 50_000])
    expect(waitMs(budget, level, 20)).toBeCloseTo(10_000)
    expect(draw(budget, level, 20, 14_999).isMet).toBe(false)
    expect(draw(budget, level, 20, 15_000).isMet).toBe(true)
  })

  test('a clock that is put back gives nothing, and does not keep anybody waiting longer', () => {
    const budget = perMinute(60)
    const { met } = run(budget, [
      [dayMs, 60],
      [0, 1],
      [999, 1],
      [1000, 1],
    ])
    expect(met).toEqual([true, false, false, true])
  })
})

describe('a budget by the day', () => {
  const lateAt = 20_000 * dayMs - 1

  test('comes back at midnight UTC, whole, and not before', () => {
    expect(
      run(daily(2), [
        [lateAt - 3600_000, 2],
        [lateAt, 1],
        [lateAt + 1, 2],
        [lateAt + 2, 1],
      ]).met,
    ).toEqual([true, false, true, false])
  })

  test('says that it waits for midnight', () => {
    const { level } = run(daily(2), [[lateAt - 999, 2]])
    expect([leftOf(daily(2), level), waitMs(daily(2), level, 1), resetMs(daily(2), level)]).toEqual([0, 1000, 1000])
  })

  test('a clock that is put back behind midnight gives no second day', () => {
    expect(
      run(daily(2), [
        [lateAt + 1, 2],
        [lateAt, 1],
        [lateAt + 2, 1],
      ]).met,
    ).toEqual([true, false, false])
  })

  test('what was reserved yesterday is not given back today', () => {
    const booked = draw(daily(10), undefined, 8, lateAt).level
    const today = draw(daily(10), booked, 3, lateAt + 1).level
    expect(settle(daily(10), today, { reserved: 8, cost: 0, booked }, lateAt + 2).used).toBe(3)
  })
})

describe('a reservation', () => {
  const budget = perMinute(600)

  test.each([
    ['that came out cheaper is given back', { reserved: 100, cost: 30, afterMs: 0 }, 30],
    ['that came out dearer is paid for, room or not', { reserved: 500, cost: 900, afterMs: 0 }, 900],
    ['that came out as it was changes nothing', { reserved: 100, cost: 100, afterMs: 0 }, 100],
    ['is not given back where it has come back by itself', { reserved: 100, cost: 0, afterMs: 10_000 }, 0],
    ['is given back for what is left of it', { reserved: 100, cost: 0, afterMs: 4_000 }, 0],
  ])('%s', (_, { reserved, cost, afterMs }, used) => {
    const booked = draw(budget, undefined, reserved, 0).level
    expect(settle(budget, booked, { reserved, cost, booked }, afterMs).used).toBe(used)
  })

  test('that has come back by itself is not given back out of what others use', () => {
    const booked = draw(budget, undefined, 100, 0).level
    const others = draw(budget, booked, 500, 10_000).level
    expect(settle(budget, others, { reserved: 100, cost: 0, booked }, 10_000).used).toBe(500)
  })

  test('is not given back twice, where another one was given back before', () => {
    const first = draw(budget, undefined, 10, 0).level
    const second = draw(budget, first, 10, 0).level
    const afterFirst = settle(budget, second, { reserved: 10, cost: 0, booked: first }, 0)
    const others = draw(budget, afterFirst, 7, 1_500).level
    expect(settle(budget, others, { reserved: 10, cost: 0, booked: second }, 1_500).used).toBe(7)
  })

  test('of a budget that was forgotten meanwhile gives nothing back', () => {
    const booked = draw(budget, undefined, 10, 0).level
    const anew = draw(budget, undefined, 7, 5_000).level
    expect(settle(budget, anew, { reserved: 10, cost: 0, booked }, 5_000).used).toBe(7)
  })
})

interface Step {
  readonly afterMs: number
  readonly reserved: number
  /** What becomes of it: the share of the reservation that it costs, and after how long that is known. */
  readonly share: number
  readonly lastsMs: number
}

const steps = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 300 }), fc.integer({ min: -500, max: 3000 })),
    reserved: fc.integer({ min: 0, max: 12 }),
    share: fc.constantFrom(0, 0.1, 0.5, 1),
    lastsMs: fc.integer({ min: 0, max: 2000 }),
  }),
  { maxLength: 60 },
)

/** What was admitted, by time that really passed; a clock that goes back goes on from there. @param forgets whether what is full again is forgotten */
function admitted(budget: Budget, asked: readonly Step[], forgets: boolean) {
  const taken: { atMs: number; cost: number }[] = []
  const due: { atMs: number; settlement: { reserved: number; cost: number; booked: Level } }[] = []
  let [level, clock, passed]: [Level | undefined, number, number] = [undefined, 1_000_000, 0]
  const pass = (ms: number) => {
    clock += ms
    passed += Math.max(0, ms)
    if (forgets && level && levelAt(budget, level, clock).used === 0) level = undefined
  }
  for (const { afterMs, reserved, share, lastsMs } of asked) {
    const until = passed + Math.max(0, afterMs)
    due.sort((a, b) => a.atMs - b.atMs)
    while (due[0] && due[0].atMs <= until) {
      const { atMs, settlement } = due.shift() as (typeof due)[number]
      pass(atMs - passed)
      level = settle(budget, level, settlement, clock)
    }
    pass(afterMs < 0 ? afterMs : until - passed)
    const drawn = draw(budget, level, reserved, clock)
    level = drawn.level
    if (!drawn.isMet) continue
    const cost = reserved * share
    taken.push({ atMs: passed, cost })
    due.push({ atMs: passed + lastsMs, settlement: { reserved, cost, booked: drawn.level } })
  }
  return taken
}

describe('whatever is asked, given back and put back', () => {
  const budgets = fc.record({
    most: fc.integer({ min: 1, max: 30 }),
    perMs: fc.double({ min: 1e-4, max: 0.1, noNaN: true }),
  })

  test('in no stretch of time more is let through than the burst and the rate by its length', () => {
    fc.assert(
      fc.property(budgets, steps, fc.boolean(), (budget, asked, forgets) => {
        const taken = admitted(budget, asked, forgets)
        for (let from = 0; from < taken.length; from++) {
          let sum = 0
          for (let to = from; to < taken.length; to++) {
            const [first, last] = [taken[from], taken[to]]
            if (!first || !last) throw new Error('out of range')
            sum += last.cost
            expect(sum).toBeLessThanOrEqual(budget.most + budget.perMs * (last.atMs - first.atMs) + 1e-3)
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('whoever waits as long as is said is let through, and not a millisecond before', () => {
    fc.assert(
      fc.property(budgets, steps, fc.integer({ min: 1, max: 30 }), (budget, asked, cost) => {
        fc.pre(cost <= budget.most)
        const level = run(
          budget,
          asked.map(({ afterMs, reserved }, i) => [i * 50 + Math.max(0, afterMs), reserved] as const),
        ).level as Level | undefined
        if (!level) return
        const wait = waitMs(budget, level, cost)
        expect(draw(budget, level, cost, level.at + wait).isMet).toBe(true)
        if (wait > 2) expect(draw(budget, level, cost, level.at + wait - 1).isMet).toBe(budget.perMs < 1e-6)
      }),
    )
  })

  test('less is used later, and more is left', () => {
    fc.assert(
      fc.property(budgets, steps, fc.nat(10_000), (budget, asked, laterMs) => {
        const { level } = run(
          budget,
          asked.map(({ reserved }, i) => [i * 20, reserved] as const),
        )
        if (!level) return
        const later = levelAt(budget, level, level.at + laterMs)
        expect(later.used).toBeLessThanOrEqual(level.used)
        expect(leftOf(budget, later)).toBeGreaterThanOrEqual(leftOf(budget, level))
      }),
    )
  })
})

test('the shares of all gateways are no more than the whole, and each is enough for one request', () => {
  const whole = perMinute(100)
  const part = shareOf(whole, 3, 1)
  expect([part.most * 3, part.perMs * 3]).toEqual([expect.closeTo(100), expect.closeTo(whole.perMs)])
  expect(shareOf(perMinute(1000), 10, 400).most).toBe(400)
})
