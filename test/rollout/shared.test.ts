// Decisions of several replicas about one rollout, in whatever order the store takes them.
import { expect, test } from 'vitest'
import type { Overrides } from '../../gateway/model.ts'
import { afterStep, changeBetween, nothingShared, type Step, takenOver } from '../../gateway/rollout/shared.ts'
import { standingAt } from '../../gateway/rollout/standing.ts'

const legacy = standingAt('legacy')
const canary = standingAt('canary', { shareBasisPoints: 1_000 })
const rollback = (at: number) => ({ by: 'guard', reason: `at ${at}`, at, from: canary, to: legacy, hash: 'h' })
const pause = (at: number) => ({ by: 'ann', reason: `at ${at}`, at, held: canary })
const advance = (at: number) => ({ by: 'steps', reason: `at ${at}`, at, to: canary, declared: legacy })

function step(kind: Step['kind'], before: Overrides, after: Overrides): Step {
  return { kind, key: 'search', before, after, by: 'ann', reason: kind }
}

const rolledBack = (at: number) => step('rollback', {}, { rollback: rollback(at) })
const acknowledged = (at: number) => step('ack', { rollback: rollback(at) }, {})
const paused = step('pause', {}, { pause: pause(5) })
const advanced = step('advance', {}, { advance: advance(6) })
const overtaken = step('stage', { advance: advance(6) }, {})
const takenOverAt = (at: number) => step('stage', { rollback: rollback(at) }, {})

const after = (...steps: readonly Step[]) => steps.reduce(afterStep, nothingShared)

test.each([
  ['a pause', paused],
  ['a promotion', advanced],
  ['an edit that overtakes steps', overtaken],
])('a rollback is not lost to %s that does not know of it, in whatever order they come', (_what, other) => {
  for (const shared of [after(rolledBack(10), other), after(other, rolledBack(10))]) {
    expect(shared.overrides.rollback).toEqual(rollback(10))
    expect(shared.overrides.advance).toBeUndefined()
  }
})

test('of two rollbacks at a time the first one stands, and acknowledging the later one ends both', () => {
  const both = after(rolledBack(10), rolledBack(12))
  expect(both.overrides.rollback?.at).toBe(10)
  expect(afterStep(both, acknowledged(12)).overrides).toEqual({})
})

test('acknowledging an older rollback does not end a newer one', () => {
  expect(after(rolledBack(12), acknowledged(10)).overrides.rollback?.at).toBe(12)
})

test('a step that is taken twice changes nothing more', () => {
  for (const one of [rolledBack(10), acknowledged(10), paused, advanced, takenOverAt(10)]) {
    const once = after(advanced, one)
    expect(afterStep(once, one)).toEqual(once)
  }
})

test('a rollback stays where it is known until somebody has acknowledged it', () => {
  const own = { rollback: rollback(10) }
  expect(takenOver(own, nothingShared)).toEqual(own)
  expect(takenOver(own, after(paused))).toEqual({ ...own, pause: pause(5) })
  expect(takenOver(own, after(rolledBack(10), acknowledged(10)))).toEqual({})
  // It was never told of the one that is acknowledged, but of a later one.
  expect(takenOver({ rollback: rollback(11) }, after(rolledBack(10), acknowledged(10)))).toEqual({
    rollback: rollback(11),
  })
})

test('one that an edit has taken over stays at whoever runs, and ends at whoever starts', () => {
  const own = { rollback: rollback(10) }
  const shared = after(rolledBack(10), takenOverAt(10), paused)
  expect(shared.overrides).toEqual({ pause: pause(5) })
  expect(takenOver(own, shared).rollback).toEqual(rollback(10))
  expect(takenOver(own, shared, true).rollback).toBeUndefined()
})

test('a rollback counts although the clock of its replica is behind that of an acknowledgement', () => {
  const again = after(rolledBack(100), acknowledged(100), rolledBack(40))
  expect(takenOver({}, again).rollback?.at).toBe(40)
  // Also where it has to hold by itself, once an edit elsewhere has taken it over.
  expect(takenOver({ rollback: rollback(40) }, afterStep(again, takenOverAt(40))).rollback?.at).toBe(40)
})

test('steps that an edit elsewhere has overtaken go on here until the edit is served here', () => {
  const own = { advance: advance(6) }
  expect(takenOver(own, after(advanced, overtaken))).toEqual(own)
  expect(takenOver(own, after(advanced, rolledBack(10))).advance).toBeUndefined()
})

test('a change is told as whoever made it would, and an end as the store has it', () => {
  const shared = after(rolledBack(10), acknowledged(10))
  expect(changeBetween({}, { rollback: rollback(10) }, shared)).toMatchObject({ kind: 'rollback', by: 'guard' })
  expect(changeBetween({ rollback: rollback(10) }, {}, shared)).toMatchObject({ kind: 'ack', by: 'ann' })
})
