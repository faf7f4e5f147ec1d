// When the replicas of a fleet open a circuit together, who may try, and what is forgotten; row by row.
import { describe, expect, test } from 'vitest'
import {
  afterClosing,
  afterOpening,
  type FleetCircuit,
  isHeld,
  isOver,
  majorityOf,
  nobodys,
  readCircuit,
  settled,
  votesFor,
  withTrial,
} from '../../gateway/state/breaking/fleetCircuit.ts'

const now = 1_000_000
const fleet = (size: number, nowMs = now, ...living: string[]) => ({
  size,
  nowMs,
  living: new Set(living.length > 0 ? living : ['a', 'b', 'c', 'd', 'e']),
})
const vote = (by: string, untilMs = now + 10_000, isTrial = false) => ({ by, untilMs, isTrial })
const opened = afterOpening(afterOpening(nobodys, vote('a'), fleet(3)), vote('b'), fleet(3))

describe('a majority', () => {
  test.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
  ])('of %i replicas is %i', (replicas, majority) => expect(majorityOf(replicas)).toBe(majority))

  test.each([
    ['of two that hold it open opens it', 2, ['a', 'b'], true],
    ['is not one of two', 2, ['a'], false],
    ['is two of three', 3, ['a', 'b'], true],
    ['is not two of four', 4, ['a', 'b'], false],
    ['is not one that says it twice', 3, ['a', 'a'], false],
    ['is one that is alone', 1, ['a'], true],
  ])('%s', (_, size, voters, isOpen) => {
    const circuit = voters.reduce((held, by) => afterOpening(held, vote(by), fleet(size)), nobodys)
    expect(isHeld(circuit, now)).toBe(isOpen)
  })

  test('opens it for as long as the last of them does, and says how many they are', () => {
    const one = afterOpening(nobodys, vote('a', now + 4_000), fleet(3))
    const { turn } = afterOpening(one, vote('b', now + 9_000), fleet(3, now + 1))
    const reason = '2 of 3 replicas hold it open'
    expect(turn).toEqual({ to: 'open', by: 'b', atMs: now + 1, untilMs: now + 9_000, reason })
  })
})

describe('a vote', () => {
  test('counts until its time is over', () => {
    const one = afterOpening(nobodys, vote('a', now + 4_000), fleet(3))
    expect([votesFor(one, fleet(3, now + 3_999)), votesFor(one, fleet(3, now + 4_000))]).toEqual([1, 0])
    expect(isHeld(afterOpening(one, vote('b', now + 14_000), fleet(3, now + 4_000)), now + 4_000)).toBe(false)
  })

  test('of a replica that is gone does not count', () => {
    const one = afterOpening(nobodys, vote('a'), fleet(3))
    expect(isHeld(afterOpening(one, vote('b'), fleet(3, now, 'b', 'c')), now)).toBe(false)
  })

  test('may become a majority when others go', () => {
    const one = afterOpening(nobodys, vote('a'), fleet(2))
    expect(isHeld(settled(one, 'a', fleet(2)), now)).toBe(false)
    expect(isHeld(settled(one, 'a', fleet(1)), now)).toBe(true)
    expect(isHeld(settled(one, 'b', fleet(1)), now)).toBe(false)
  })

  test('is taken back by whose trial was answered well', () => {
    const one = afterClosing(afterOpening(nobodys, vote('a'), fleet(3)), 'a', now + 1)
    expect([one.votes, one.turn]).toEqual([{}, undefined])
  })

  test('that comes behind the majority makes it no longer', () => {
    const three = afterOpening(opened, vote('c', now + 60_000), fleet(3))
    expect([Object.keys(three.votes), three.turn]).toEqual([['a', 'b', 'c'], opened.turn])
  })
})

describe('a trial', () => {
  const due = now + 10_000

  test('is nobody’s before the time, nor while it is somebody else’s, nor of what is closed', () => {
    expect(withTrial(opened, { by: 'a', untilMs: due + 9_999 }, due - 1)).toBeUndefined()
    const taken = withTrial(opened, { by: 'a', untilMs: due + 10_000 }, due)
    expect(taken?.trial).toEqual({ by: 'a', untilMs: due + 10_000 })
    expect(taken && withTrial(taken, { by: 'b', untilMs: due + 20_000 }, due + 9_999)).toBeUndefined()
    expect(taken && withTrial(taken, { by: 'b', untilMs: due + 20_000 }, due + 10_000)?.trial?.by).toBe('b')
    expect(withTrial(nobodys, { by: 'a', untilMs: due }, now)).toBeUndefined()
  })

  test('that fails opens it anew for all, and is anybody’s again', () => {
    const taken = withTrial(opened, { by: 'c', untilMs: due + 10_000 }, due) ?? nobodys
    const { turn, trial } = afterOpening(taken, vote('c', due + 20_000, true), fleet(3, due + 5))
    expect(trial).toBeUndefined()
    expect(turn).toMatchObject({ to: 'open', by: 'c', untilMs: due + 20_000, reason: 'the trial of c failed' })
  })

  test('that fails at one which is alone with it opens nothing for the others', () => {
    const one = afterOpening(nobodys, vote('a'), fleet(3))
    expect(isHeld(afterOpening(one, vote('a', due + 20_000, true), fleet(3, due)), due)).toBe(false)
  })

  test('that is answered well closes it for all, whoever held it open', () => {
    const { votes, turn } = afterClosing(opened, 'c', due + 5)
    expect([votes, turn]).toMatchObject([{}, { to: 'closed', by: 'c', reason: 'the trial of c was answered well' }])
  })
})

describe('what is over', () => {
  test.each<[string, FleetCircuit, number, boolean]>([
    ['nothing', nobodys, now, true],
    ['an open one', opened, now, false],
    ['one that nobody tries', opened, now + 10_000 + 599_999, false],
    ['one that nobody has tried for ten minutes', opened, now + 10_000 + 600_000, true],
    ['one that has closed', afterClosing(opened, 'a', now), now + 60_000, false],
    ['one that closed long ago', afterClosing(opened, 'a', now), now + 60_001, true],
  ])('%s', (_, circuit, nowMs, isForgotten) => expect(isOver(circuit, nowMs)).toBe(isForgotten))

  test('is not the fleet’s any more: a trial that fails opens nothing for others', () => {
    const later = now + 10_000 + 600_000
    expect(isHeld(afterOpening(opened, vote('a', later + 1, true), fleet(3, later)), later)).toBe(false)
  })
})

test.each([null, 'x', {}, { votes: 7 }, { votes: { a: 'soon' } }, { votes: {}, turn: { to: 'open' }, trial: {} }])(
  'of what another version wrote, %j, nothing is believed',
  (value) => expect(readCircuit(value)).toEqual(nobodys),
)

test('a circuit is read as it was written', () => {
  const trying = withTrial(opened, { by: 'a', untilMs: now + 20_000 }, now + 10_000)
  expect(readCircuit(JSON.parse(JSON.stringify(trying)))).toEqual(trying)
})
