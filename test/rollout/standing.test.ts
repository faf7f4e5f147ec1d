// The order of standings, and how they are said.
import { describe, expect, test } from 'vitest'
import type { Standing } from '../../gateway/model.ts'
import {
  compareStandings,
  describeStanding,
  isSameStanding,
  percentOf,
  rankOf,
  standingAt,
} from '../../gateway/rollout/standing.ts'

const rising: readonly Standing[] = [
  standingAt('legacy'),
  standingAt('shadow'),
  standingAt('canary', { shareBasisPoints: 0 }),
  standingAt('canary', { shareBasisPoints: 25 }),
  standingAt('canary', { shareBasisPoints: 9_999 }),
  standingAt('canary', { shareBasisPoints: 10_000 }),
  standingAt('live', { holdbackBasisPoints: 500 }),
  standingAt('live'),
  standingAt('final'),
]

test('standings are ordered by stage, then by share', () => {
  for (const [i, one] of rising.entries()) {
    for (const [j, other] of rising.entries()) {
      expect(Math.sign(compareStandings(one, other)), `${describeStanding(one)} and ${describeStanding(other)}`).toBe(
        Math.sign(i - j),
      )
      expect(isSameStanding(one, other)).toBe(i === j)
    }
  }
})

test('stages rise in the order of a move, not of the alphabet', () => {
  expect((['legacy', 'shadow', 'canary', 'live', 'final'] as const).map(rankOf)).toEqual([0, 1, 2, 3, 4])
})

describe('who answers', () => {
  test.each([
    ['legacy', 0],
    ['shadow', 0],
    ['canary', 1_000],
    ['live', 9_500],
    ['final', 10_000],
  ] as const)('at %s the new side has %i of 10 000 buckets, whatever else is written', (stage, share) => {
    const written = { shareBasisPoints: 1_000, holdbackBasisPoints: 500 }
    expect(standingAt(stage, written)).toEqual({ stage, shareBasisPoints: share })
  })
})

test('a share is said as the file writes it', () => {
  expect([0, 1, 25, 1_000, 9_975, 10_000].map(percentOf)).toEqual(['0%', '0.01%', '0.25%', '10%', '99.75%', '100%'])
  expect(rising.map(describeStanding)).toEqual([
    'legacy',
    'shadow',
    'canary 0%',
    'canary 0.25%',
    'canary 99.99%',
    'canary 100%',
    'live 95%',
    'live',
    'final',
  ])
})
