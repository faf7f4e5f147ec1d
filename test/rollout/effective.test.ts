// Which of several orders holds, and which of them an edit of the file ends.
import { describe, expect, test } from 'vitest'
import type { Overrides, Standing } from '../../gateway/model.ts'
import { type Circumstances, effectiveOf, rolledBack, surviving } from '../../gateway/rollout/effective.ts'
import { describeStanding, standingAt } from '../../gateway/rollout/standing.ts'
import { rolloutOf } from './declared.ts'

const calm: Circumstances = { brokenGlass: new Set(), isStateUnknown: false }
const decision = { by: 'ann', reason: 'because', at: 1 }
const canary = (percent: number) => standingAt('canary', { shareBasisPoints: percent * 100 })

const rollback = (to: Standing = standingAt('shadow')): Overrides => ({
  rollback: { ...decision, from: canary(10), to, hash: 'x' },
})
const pause = (held: Standing): Overrides => ({ pause: { ...decision, held } })
const advance = (to: Standing, declared = canary(10)): Overrides => ({ advance: { ...decision, to, declared } })

const declared10 = rolloutOf('search', { stage: 'canary', shareBasisPoints: 1_000 })
const live = rolloutOf('search', { stage: 'live' })
const final = rolloutOf('search', { stage: 'final' })
const toFinal = advance(final.declared, live.declared)
const glass: Circumstances = { ...calm, brokenGlass: new Set(['search']) }
const unknown: Circumstances = { ...calm, isStateUnknown: true }
const all: Circumstances = { ...glass, isStateUnknown: true }

describe('what holds', () => {
  const most: Overrides = { ...advance(canary(25)), ...pause(canary(15)) }
  test.each<[string, Parameters<typeof effectiveOf>, string]>([
    ['the file alone', [declared10, {}, calm], 'canary 10%, file'],
    ['an advance over the file', [declared10, advance(canary(25)), calm], 'canary 25%, advance'],
    ['a pause over an advance', [declared10, most, calm], 'canary 15%, pause'],
    ['a pause over the file', [declared10, pause(canary(5)), calm], 'canary 5%, pause'],
    ['the file, when it asks for less than is paused', [declared10, pause(canary(20)), calm], 'canary 10%, file'],
    ['an unknown state over all that', [declared10, most, unknown], 'legacy, stateUnknown'],
    ['a rollback over all that', [declared10, { ...most, ...rollback() }, unknown], 'shadow, rollback'],
    ['the broken glass over all that', [declared10, { ...most, ...rollback() }, all], 'legacy, breakGlass'],
    ['the broken glass over live', [live, {}, glass], 'legacy, breakGlass'],
    ['a live move, though the state is unknown', [live, {}, unknown], 'live, file'],
    ['a rollback of a live move', [live, rollback(), calm], 'shadow, rollback'],
    ['final, whatever the circumstances', [final, {}, all], 'final, file'],
    ['final, though only a promotion has taken it there', [live, toFinal, glass], 'final, advance'],
    [
      'a pause further back: nothing takes it further, not even to final',
      [final, pause(canary(5)), calm],
      'canary 5%, pause',
    ],
    ['a rollback from before the file said final', [final, rollback(), calm], 'shadow, rollback'],
    ['the broken glass over that', [final, rollback(), glass], 'legacy, breakGlass'],
  ])('%s', (_, given, expected) => {
    const effective = effectiveOf(...given)
    expect(`${describeStanding(effective)}, ${effective.why}`).toBe(expected)
    expect(effective.reason !== undefined).toBe(effective.why !== 'file')
  })
})

test('the broken glass names all, a rollout by its key, or one of its routes', () => {
  const group = rolloutOf('catalog', { of: 'group', routes: ['list', 'item'], stage: 'live' })
  const standing = (brokenGlass: Circumstances['brokenGlass']) => effectiveOf(group, {}, { ...calm, brokenGlass }).stage
  expect([standing('all'), standing(new Set(['catalog'])), standing(new Set(['item']))]).toEqual(
    Array(3).fill('legacy'),
  )
  expect(standing(new Set(['items', 'search']))).toBe('live')
})

describe('an edit of the file', () => {
  const edited = (stage: 'legacy' | 'shadow' | 'canary' | 'live' | 'final', percent = 0) =>
    rolloutOf('search', { stage, shareBasisPoints: percent * 100, hash: 'edited' })

  test.each([
    ['keeps a rollback when it changes something else', edited('canary', 10), standingAt('shadow'), true],
    ['keeps a rollback when it asks for more', edited('live'), standingAt('shadow'), true],
    [
      'keeps a rollback when it asks for less, but for more than where it went',
      edited('canary', 5),
      standingAt('shadow'),
      true,
    ],
    ['keeps a rollback even for a canary of nobody', edited('canary', 0), standingAt('shadow'), true],
    ['keeps a rollback when it says final', edited('final'), standingAt('shadow'), true],
    ['ends a rollback by asking for just where it went', edited('shadow'), standingAt('shadow'), false],
    ['ends a rollback by asking for less', edited('legacy'), standingAt('shadow'), false],
    ['keeps one to legacy when it asks for shadow', edited('shadow'), standingAt('legacy'), true],
    ['ends one to legacy by asking for legacy', edited('legacy'), standingAt('legacy'), false],
  ])('%s', (_, rollout, to, isKept) => {
    const { overrides, ended } = surviving(rollout, rollback(to))
    expect([overrides.rollback !== undefined, ended.length]).toEqual([isKept, isKept ? 0 : 1])
  })

  test('ends an advance by declaring another share, further or less far, and by nothing else', () => {
    const kept = (rollout: typeof declared10) => surviving(rollout, advance(canary(25))).overrides.advance !== undefined
    expect(kept(edited('canary', 10))).toBe(true)
    expect([kept(edited('canary', 25)), kept(edited('canary', 5)), kept(edited('live'))]).toEqual([false, false, false])
  })

  test('never ends a pause, and ends of the others only what it must', () => {
    const all = { ...pause(canary(10)), ...advance(canary(25)), ...rollback() }
    expect(surviving(edited('canary', 10), all)).toEqual({ overrides: all, ended: [] })
    const { overrides, ended } = surviving(edited('legacy'), all)
    expect(overrides).toEqual(pause(canary(10)))
    expect(ended).toEqual([
      'the file asks for legacy: the rollback has been taken over',
      'the file says legacy now: it goes before the steps',
    ])
  })
})

test('a rollback goes to shadow where answers are compared, so that comparison stays on, else to legacy', () => {
  expect(rolledBack(rolloutOf('search', { compares: true }))).toEqual(standingAt('shadow'))
  expect(rolledBack(rolloutOf('search', { compares: false }))).toEqual(standingAt('legacy'))
})
