// The table of verdicts, on a frozen clock: each way in which a candidate, or the old side, can be wrong.
import { describe, expect, test } from 'vitest'
import type { GuardSettings } from '../../gateway/model.ts'
import { addSpans, spansOf, withControl } from '../../gateway/rollout/spans.ts'
import { type ControlSource, judge, type Reason, type Result, type Verdict } from '../../gateway/rollout/verdict.ts'
import { seed } from './seed.ts'
import {
  answered,
  broken,
  defaults,
  failing,
  left,
  refused,
  type Simulation,
  simulate,
  type Traffic,
  usualMs,
} from './simulate.ts'

type Outcomes = Traffic['outcome']

const usual = failing(0.001)
/** A hundred of them are too few for latencies with a tail to look alike. */
const even: Outcomes = () => answered(200, 20)
const slow: Outcomes = (random) => answered(200, 2 * usualMs(random))
const sometimes = (share: number, other: Outcomes): Outcomes => {
  return (random) => (random() < share ? other(random) : usual(random))
}

interface Row {
  readonly it: string
  readonly old?: Outcomes
  readonly candidate?: Outcomes
  /** Requests per second; 100 each. */
  readonly rates?: readonly [old: number, candidate: number]
  readonly seconds?: number
  readonly guard?: Partial<GuardSettings>
  readonly control?: ControlSource
  readonly also?: (simulation: Simulation) => void
  readonly result: Result
  readonly because?: readonly Reason['why'][]
}

const compareAs = (differing: number) => (simulation: Simulation) => {
  for (let pair = 0; pair < 400; pair++) simulation.windows.compared(pair % 100 >= differing)
}

const rows: readonly Row[] = [
  { it: 'equal sides', result: 'pass' },
  {
    it: 'equal sides that both fail 5 %',
    old: failing(0.05),
    candidate: failing(0.05),
    guard: { moreErrorsThanOld: 0.05 },
    result: 'pass',
  },
  {
    it: 'equal sides, little traffic on both',
    old: even,
    candidate: even,
    rates: [1, 1],
    seconds: 300,
    result: 'pass',
  },
  {
    it: 'a candidate with 1 % of the traffic',
    old: even,
    candidate: even,
    rates: [99, 1],
    seconds: 300,
    result: 'pass',
  },
  {
    it: 'an old side with 1 % of the traffic',
    old: even,
    candidate: even,
    rates: [1, 99],
    seconds: 300,
    result: 'pass',
  },
  {
    it: 'clients that leave both sides alike',
    old: sometimes(0.02, (random) => left(1_000 * random())),
    candidate: sometimes(0.02, (random) => left(1_000 * random())),
    result: 'pass',
  },
  { it: 'a candidate that is a little slower', candidate: (r) => answered(200, 1.3 * usualMs(r)), result: 'pass' },

  { it: 'a candidate that fails 5 %', candidate: failing(0.05), result: 'fail', because: ['moreErrorsThanOld'] },
  { it: 'a slow candidate (twice the p95)', candidate: slow, result: 'fail', because: ['slowerAtP95'] },
  {
    it: 'a slow candidate beside an old side with a few errors',
    old: failing(0.008),
    candidate: slow,
    result: 'fail',
    because: ['slowerAtP95'],
  },
  {
    it: 'a candidate slow in the middle',
    candidate: (random) => answered(200, 150 + usualMs(random)),
    result: 'fail',
    because: ['slowerAtP50', 'slowerAtP95'],
  },
  {
    it: 'a hanging candidate whose clients give up after seconds',
    candidate: (random) => left(1_000 + 9_000 * random()),
    result: 'fail',
    because: ['slowerAtP50', 'slowerAtP95', 'moreAbandoned'],
  },
  {
    it: 'a hanging candidate whose clients give up before an answer would have been slow',
    candidate: sometimes(0.1, (random) => left(20 * random())),
    result: 'fail',
    because: ['moreAbandoned'],
  },
  {
    it: 'a candidate that answers 404 to all',
    candidate: () => answered(404, 1),
    result: 'fail',
    because: ['statusShift'],
  },
  {
    it: 'a candidate that lets in whom the old side refuses',
    old: sometimes(0.1, () => answered(401, 5)),
    result: 'fail',
    because: ['statusShift'],
  },
  {
    it: 'a candidate that answers 200 with wrong bodies',
    guard: { maxMismatchShare: 0.02 },
    also: compareAs(10),
    result: 'fail',
    because: ['maxMismatchShare'],
  },
  { it: 'a candidate whose bodies are right', guard: { maxMismatchShare: 0.02 }, also: compareAs(1), result: 'pass' },
  {
    it: 'bodies that nobody compared',
    guard: { maxMismatchShare: 0.02 },
    result: 'inconclusive',
    because: ['maxMismatchShare'],
  },
  {
    it: 'a candidate that resets in mid-body',
    candidate: sometimes(0.06, () => broken(5)),
    result: 'fail',
    because: ['moreErrorsThanOld'],
  },
  {
    it: 'a candidate that refuses connections',
    candidate: () => refused(),
    result: 'fail',
    because: ['moreErrorsThanOld', 'failuresInARow'],
  },
  {
    it: 'a candidate above the absolute bound, compared with a baseline',
    candidate: failing(0.05),
    guard: { maxErrorShare: 0.02, moreErrorsThanOld: 0.1 },
    control: 'frozenBaseline',
    result: 'fail',
    because: ['maxErrorShare'],
  },

  { it: 'a silent route', rates: [0, 0], result: 'inconclusive', because: ['fewRequests'] },
  { it: 'a silent candidate', rates: [100, 0], result: 'inconclusive', because: ['fewRequests'] },
  { it: 'a silent old side', rates: [0, 100], result: 'inconclusive', because: ['fewRequests'] },
  { it: 'an old side that fails 10 %', old: failing(0.1), result: 'alarm', because: ['oldSideWorse'] },
  { it: 'a baseline that was worse', old: failing(0.1), control: 'frozenBaseline', result: 'pass' },
  {
    it: 'five failures in a row where both sides fail every fifth request',
    old: failing(0.2),
    candidate: failing(0.2),
    guard: { moreErrorsThanOld: 0.1 },
    also: ({ windows }) => {
      for (let count = 0; count < 5; count++) windows.observe('new', refused())
    },
    result: 'pass',
  },
  {
    it: 'an old side that fails quickly, beside which the candidate is slow',
    old: sometimes(0.6, () => answered(500, 1)),
    candidate: slow,
    result: 'alarm',
    because: ['oldSideWorse', 'slowerAtP50', 'slowerAtP95'],
  },
  {
    it: 'a candidate above the absolute bound, but below the old side',
    old: failing(0.06),
    candidate: failing(0.05),
    guard: { maxErrorShare: 0.01 },
    result: 'alarm',
    because: ['maxErrorShare'],
  },
  {
    it: 'wrong bodies that are the old side’s errors',
    old: failing(0.3),
    guard: { maxMismatchShare: 0.02 },
    also: compareAs(30),
    result: 'alarm',
    because: ['oldSideWorse', 'maxMismatchShare'],
  },
  {
    it: 'both sides down',
    old: () => refused(),
    candidate: () => refused(),
    result: 'alarm',
    because: ['failuresInARow'],
  },
  {
    it: 'a candidate that answers 404 to all while the old side fails 10 %',
    old: failing(0.1),
    candidate: () => answered(404, 1),
    result: 'fail',
    because: ['statusShift'],
  },
]

/** In any order: what is found at once is not ranked. */
function causes({ reasons }: Verdict): string[] {
  return reasons.map(({ why }) => why).sort()
}

describe(`the verdict (seed ${seed})`, () => {
  test.each(rows)('on $it is $result', (row) => {
    const simulation = simulate({
      seed,
      ...(row.guard && { guard: row.guard }),
      ...(row.control && { control: row.control }),
    })
    const [old, candidate] = row.rates ?? [100, 100]
    simulation.run(row.seconds ?? 60, {
      old: { perSecond: old, outcome: row.old ?? usual },
      new: { perSecond: candidate, outcome: row.candidate ?? usual },
    })
    row.also?.(simulation)
    const verdict = simulation.judge()
    expect(verdict).toMatchObject({ result: row.result })
    expect(causes(verdict)).toEqual([...(row.because ?? [])].sort())
  })
})

describe('below minRequests', () => {
  const few = (candidates: number, outcome: Outcomes) => {
    const simulation = simulate({ seed })
    for (let count = 0; count < candidates; count++) simulation.windows.observe('new', outcome(Math.random))
    return simulation
  }

  test('failures in a row fail a candidate', () => {
    const verdict = few(5, () => refused()).judge()
    expect(verdict.result).toBe('fail')
    expect(causes(verdict)).toEqual(['failuresInARow'])
  })

  test('one failure less is inconclusive', () => {
    expect(few(4, () => refused()).judge().result).toBe('inconclusive')
  })

  test('a row that the old side fails as well is an alarm: what fails is behind both', () => {
    const simulation = few(5, () => refused())
    for (let count = 0; count < 5; count++) simulation.windows.observe('old', refused())
    expect(simulation.judge()).toMatchObject({ result: 'alarm', reasons: [{ why: 'failuresInARow' }] })
  })

  test('a breaker that opens fails a candidate', () => {
    const simulation = few(20, usual)
    simulation.windows.breakerOpened()
    expect(simulation.judge()).toMatchObject({ result: 'fail', reasons: [{ why: 'breaker' }] })
  })
})

test('what looks worse and may be chance is inconclusive: three of a hundred that left, of the old side none', () => {
  const { windows, judge } = simulate({ seed })
  for (let count = 0; count < 100; count++) {
    windows.observe('old', answered(200, 20))
    windows.observe('new', count % 40 === 0 ? left(20) : answered(200, 20))
  }
  expect(judge()).toMatchObject({ result: 'inconclusive', reasons: [{ why: 'moreAbandoned' }] })
})

describe('without a control', () => {
  const alone = (share: number, guard: Partial<GuardSettings>) => {
    const simulation = simulate({ seed })
    simulation.run(60, { old: { perSecond: 0, outcome: usual }, new: { perSecond: 100, outcome: failing(share) } })
    const spans = withControl(spansOf(simulation.windows, defaults.windowMs))
    const rows = { candidate: simulation.windows.failuresInARow('new'), control: 0 }
    return judge({ guard: { ...defaults, ...guard }, spans, control: 'none', failuresInARow: rows })
  }

  test('nothing passes that no absolute bound speaks for', () => {
    expect(alone(0, {})).toMatchObject({ result: 'inconclusive', reasons: [{ why: 'noControl' }] })
  })

  test('an absolute bound lets pass and fail', () => {
    expect(alone(0.001, { maxErrorShare: 0.02 }).result).toBe('pass')
    expect(alone(0.06, { maxErrorShare: 0.02 })).toMatchObject({ result: 'fail', reasons: [{ why: 'maxErrorShare' }] })
  })
})

describe('the evidence', () => {
  const simulation = simulate({ seed })
  simulation.run(40, { old: { perSecond: 50, outcome: usual }, new: { perSecond: 50, outcome: failing(0.3) } })

  test('is plain JSON with the numbers of each rule', () => {
    const { evidence, reasons } = simulation.judge()
    expect(JSON.parse(JSON.stringify(evidence))).toEqual(evidence)
    const errors = evidence.findings.find(({ rule }) => rule === 'moreErrorsThanOld')
    expect(errors).toMatchObject({ says: 'broken', allowed: 0.01 })
    expect(errors?.candidate).toBeGreaterThan(0.15)
    expect(reasons[0]?.sentence).toMatch(
      /^of the new side [\d.]+ % \(\d+ of \d+\) failed, of the old side [\d.]+ % \(\d+ of \d+\), in \d+ s; 1 % more are allowed$/,
    )
  })

  test('of two replicas that each saw too little is enough together', () => {
    const half = (outcome: Outcomes, its: number) => {
      const replica = simulate({ seed: its })
      for (let count = 0; count < 60; count++) {
        replica.windows.observe('old', usual(Math.random))
        replica.windows.observe('new', outcome(Math.random))
      }
      return spansOf(replica.windows, defaults.windowMs)
    }
    const judged = (spans: ReturnType<typeof half>) =>
      judge({ guard: defaults, spans, control: 'oldSide', failuresInARow: { candidate: 0, control: 0 } }).result
    const [one, other] = [half(failing(0.5), seed), half(failing(0.5), seed + 1)]
    expect([judged(one), judged(other)]).toEqual(['inconclusive', 'inconclusive'])
    expect(judged(addSpans(one, other))).toBe('fail')
  })
})
