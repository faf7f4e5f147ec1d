import { expect, test } from 'vitest'
import type { Comparison } from '../../gateway/comparing/comparison.ts'
import type { Leg } from '../../gateway/model/ports.ts'
import { ComparisonRecord, createRecords } from '../../gateway/state/comparisonRecord.ts'
import { frozenClock, reportOf, routeOf } from '../ops/world.ts'

const of = { requestId: 'id', method: 'GET', path: '/x' }

function comparison(paths: readonly string[], more = 0): Comparison {
  const differences = paths.map((path) => ({
    path,
    at: path,
    kind: 'value' as const,
    old: 'string(1) #a',
    candidate: 'string(1) #b',
    count: 1,
  }))
  return { same: paths.length === 0, isBodyCompared: true, ignored: 0, differences, more }
}

function recordAt(clock = frozenClock()) {
  return { clock, record: new ComparisonRecord(clock.wall) }
}

test('what differs as the old side differs from itself is the same, once that is known', () => {
  const { clock, record } = recordAt()
  for (let i = 0; i < 500; i++) {
    record.observeOld(comparison(['$.at']))
    record.observe(comparison(['$.at']), of)
  }
  clock.advance(1_000)
  expect(record.observe(comparison(['$.at']), of)).toBe(true)
  expect(record.observe(comparison(['$.at', '$.price']), of)).toBe(false)
  expect(
    record
      .view()
      .examples.at(-1)
      ?.differences.map(({ path }) => path),
  ).toEqual(['$.price'])
})

test('differences beyond those that are listed are differences, whatever those are', () => {
  const { record } = recordAt()
  expect(record.observe(comparison([], 1), of)).toBe(false)
  expect(record.observe(comparison([]), of)).toBe(true)
})

test('the newest twenty examples are kept, each with at most ten differences', () => {
  const { record } = recordAt()
  const paths = Array.from({ length: 30 }, (_, i) => `$.p${i}`)
  for (let i = 0; i < 50; i++) record.observe(comparison(paths), { ...of, requestId: `id${i}` })
  const { examples } = record.view()
  expect(examples.map(({ requestId }) => requestId)).toEqual(Array.from({ length: 20 }, (_, i) => `id${30 + i}`))
  expect(examples.every(({ differences }) => differences.length === 10)).toBe(true)
})

test('an example is gone after a day', () => {
  const { clock, record } = recordAt()
  record.observe(comparison(['$.a']), of)
  clock.advance(24 * 3_600_000 - 1)
  expect(record.view().examples.length).toBe(1)
  clock.advance(1)
  expect(record.view().examples).toEqual([])
  expect(record.view()).toMatchObject({ compared: 1, same: 0 })
})

test('what was counted by other rules, or of another candidate, is begun anew', () => {
  const clock = frozenClock()
  const records = createRecords(clock.wall)
  const legOf = (rules: object, to = 'search') => {
    const move = routeOf('x', 'shadow').move
    if (!move) throw new Error('it moves')
    const route = { ...routeOf('x', 'shadow'), move: { ...move, to: { ...move.to, name: to } } }
    return { exchange: reportOf({ route }).exchange, settings: { rules } } as unknown as Leg
  }
  records.named('x').dropLogin('answers', 2)
  const first = records.of(legOf({ by: 'body' }))
  first.observe(comparison(['$.a']), of)
  expect(first.view()).toMatchObject({ compared: 1, loginsDropped: { answers: 2 } })
  expect(records.of(legOf({ by: 'body' }))).toBe(first)
  expect(records.of(legOf({ by: 'status' })).view().compared).toBe(0)
  expect(records.of(legOf({ by: 'status' }, 'other')).view().compared).toBe(0)
  expect(records.known('x')?.view().compared).toBe(0)
  expect(records.known('y')).toBeUndefined()
})
