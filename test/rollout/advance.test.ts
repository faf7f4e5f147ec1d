// When a rollout goes on by itself, when it does not, and how long a verdict takes.
import { describe, expect, test } from 'vitest'
import { nextStep, type Progress } from '../../gateway/rollout/advance.ts'
import { parseHours } from '../../gateway/rollout/hours.ts'
import { timeToVerdictSeconds } from '../../gateway/rollout/timeToVerdict.ts'
import { defaults } from './simulate.ts'

const hourMs = 3_600_000
// A Monday.
const enteredAtMs = Date.parse('2026-01-05T10:00:00Z')

function progress(part: Partial<Progress> = {}): Progress {
  return {
    stepsBasisPoints: [100, 500, 2_500, 5_000, 10_000],
    currentBasisPoints: 500,
    enteredAtMs,
    eachMs: 600_000,
    verdict: { result: 'pass', sinceMs: enteredAtMs + 60_000 },
    windowMs: 30_000,
    nowMs: enteredAtMs + 600_000,
    ...part,
  }
}

describe('the next step', () => {
  test('is taken on a pass, once the time at this one is over', () => {
    expect(nextStep(progress())).toEqual({ step: 'advance', toBasisPoints: 2_500 })
    const soon = progress({ nowMs: enteredAtMs + 599_999 })
    expect(nextStep(soon)).toEqual({ step: 'waiting', untilMs: enteredAtMs + 600_000 })
  })

  test('is the next higher one from a share that is none of the steps', () => {
    expect(nextStep(progress({ currentBasisPoints: 0 }))).toEqual({ step: 'advance', toBasisPoints: 100 })
    expect(nextStep(progress({ currentBasisPoints: 1_000 }))).toEqual({ step: 'advance', toBasisPoints: 2_500 })
  })

  test('is none after the last', () => {
    expect(nextStep(progress({ currentBasisPoints: 10_000 }))).toEqual({ step: 'done' })
  })

  test('is never taken on a silent route, however long it stands there', () => {
    const nowMs = enteredAtMs + 10_000 * hourMs
    expect(nextStep(progress({ nowMs, verdict: { result: 'inconclusive', sinceMs: enteredAtMs } }))).toEqual({
      step: 'inconclusive',
    })
    const { verdict: _none, ...unjudged } = progress({ nowMs })
    expect(nextStep(unjudged)).toEqual({ step: 'inconclusive' })
  })

  test.each(['fail', 'alarm'] as const)('is never taken on the verdict %s', (result) => {
    expect(nextStep(progress({ verdict: { result, sinceMs: enteredAtMs } }))).toEqual({ step: result })
  })

  test('waits until a pass has held for a window', () => {
    const sinceMs = enteredAtMs + 590_000
    const just = progress({ verdict: { result: 'pass', sinceMs } })
    expect(nextStep(just)).toEqual({ step: 'waiting', untilMs: sinceMs + 30_000 })
    expect(nextStep({ ...just, nowMs: sinceMs + 30_000 })).toMatchObject({ step: 'advance' })
  })

  test('waits for its hours', () => {
    const hours = parseHours('Mon-Thu 11:00-12:00 UTC')
    if ('problem' in hours) throw new Error(hours.problem)
    expect(nextStep(progress({ hours }))).toEqual({ step: 'outsideHours', opensAtMs: enteredAtMs + hourMs })
    expect(nextStep(progress({ hours, nowMs: enteredAtMs + hourMs }))).toMatchObject({ step: 'advance' })
  })
})

describe('the time to a verdict', () => {
  const rates = { candidate: 5, control: 95, compared: 0 }

  test('is that of the side with less traffic', () => {
    expect(timeToVerdictSeconds(defaults, 'oldSide', rates)).toBe(20)
    expect(timeToVerdictSeconds(defaults, 'holdback', { ...rates, control: 1 })).toBe(100)
  })

  test('does not wait for a baseline, which is complete', () => {
    expect(timeToVerdictSeconds(defaults, 'frozenBaseline', { ...rates, control: 0 })).toBe(20)
  })

  test('is infinite where a side is silent, or nearly', () => {
    expect(timeToVerdictSeconds(defaults, 'oldSide', { ...rates, candidate: 0 })).toBe(Number.POSITIVE_INFINITY)
    expect(timeToVerdictSeconds(defaults, 'oldSide', { ...rates, control: 0.02 })).toBe(Number.POSITIVE_INFINITY)
  })

  test('waits for comparisons where their share is bounded', () => {
    const guard = { ...defaults, maxMismatchShare: 0.01 }
    expect(timeToVerdictSeconds(guard, 'oldSide', { ...rates, compared: 1 })).toBe(100)
    expect(timeToVerdictSeconds(guard, 'oldSide', rates)).toBe(Number.POSITIVE_INFINITY)
  })

  test('without a control needs an absolute bound', () => {
    expect(timeToVerdictSeconds(defaults, 'none', rates)).toBe(Number.POSITIVE_INFINITY)
    expect(timeToVerdictSeconds({ ...defaults, maxErrorShare: 0.01 }, 'none', rates)).toBe(20)
  })
})
