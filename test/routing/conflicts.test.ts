// Which Routes are equally specific for the same request, and what the file's author is told.
import { expect, test } from 'vitest'
import type { PathRules, RouteMatch } from '../../gateway/model.ts'
import { findConflicts } from '../../gateway/routing/conflicts.ts'
import { exactRules, lenientRules } from './asking.ts'

function declare(...matches: RouteMatch[]) {
  return matches.map((match, index) => ({ name: `r${index}`, match, position: { line: 4 + 5 * index, column: 5 } }))
}

/** The conflicting pairs, like `r0 r1`. */
function pairs(rules: PathRules, ...matches: RouteMatch[]): string[] {
  return findConflicts(declare(...matches), rules).map(({ first, second }) => `${first.name} ${second.name}`)
}

test('two routes with the same path and an overlapping method are told apart by nothing, and both lines are named', () => {
  const [conflict] = findConflicts(
    declare({ path: '/x', methods: ['GET', 'PUT'] }, { path: '/x', methods: ['GET'] }),
    exactRules,
  )
  expect(conflict?.message).toBe(
    'routes "r0" (line 4) and "r1" (line 9) are equally specific and both would take GET /x; ' +
      'give them different methods, or merge them',
  )
})

test('routes without methods conflict for every method, on their host', () => {
  const [conflict] = findConflicts(
    declare({ path: '/x', host: 'a.example' }, { path: '/x', host: 'a.example' }),
    exactRules,
  )
  expect(conflict?.message).toContain('both would take /x on host "a.example"; give them different methods')
})

test('routes that ask for different fields conflict, and the remedy is to ask for both', () => {
  const [conflict] = findConflicts(
    declare({ path: '/x', fields: { a: '1' } }, { path: '/x', fields: { b: '1' } }),
    exactRules,
  )
  expect(conflict?.message).toContain('let one of them also ask for what the other asks for')
})

test.each<[string, RouteMatch[], string[]]>([
  ['the params have other names', [{ path: '/a/:id/*' }, { path: '/a/:key/*' }], ['r0 r1']],
  [
    'a value meets any value',
    [
      { path: '/x', query: { v: '1' } },
      { path: '/x', query: { v: '*' } },
    ],
    ['r0 r1'],
  ],
  [
    'the cookies differ by name',
    [
      { path: '/x', cookies: { a: '1' } },
      { path: '/x', cookies: { b: '1' } },
    ],
    ['r0 r1'],
  ],
  [
    'two fields share one value',
    [
      { path: '/x', fields: { a: '1', b: '1' } },
      { path: '/x', fields: { a: '1', c: '1' } },
    ],
    ['r0 r1'],
  ],
  [
    'a third overlaps with two that do not overlap',
    [
      { path: '/x', methods: ['GET'] },
      { path: '/x', methods: ['PUT'] },
      { path: '/x', methods: ['GET', 'PUT'] },
    ],
    ['r0 r2', 'r1 r2'],
  ],
  ['all three are the same', [{ path: '/x' }, { path: '/x' }, { path: '/x' }], ['r0 r1', 'r0 r2']],
])('routes conflict where %s', (_, matches, expected) => {
  expect(pairs(exactRules, ...matches)).toEqual(expected)
})

test.each<[string, RouteMatch[]]>([
  [
    'their methods differ',
    [
      { path: '/x', methods: ['GET'] },
      { path: '/x', methods: ['PUT'] },
    ],
  ],
  ['only one lists methods', [{ path: '/x', methods: ['GET'] }, { path: '/x' }]],
  ['only one has a host', [{ path: '/x', host: 'a' }, { path: '/x' }]],
  [
    'one asks for more fields',
    [
      { path: '/x', fields: { a: '1' } },
      { path: '/x', fields: { a: '1', b: '1' } },
    ],
  ],
  [
    'they ask for different values',
    [
      { path: '/x', fields: { a: '1' } },
      { path: '/x', fields: { a: '2' } },
    ],
  ],
  [
    'they ask for different values of one of two names',
    [
      { path: '/x', fields: { a: '1', b: '1' } },
      { path: '/x', fields: { a: '2', c: '1' } },
    ],
  ],
  [
    'a field and a query key have the same name',
    [
      { path: '/x', fields: { a: '1' } },
      { path: '/x', query: { a: '1' } },
    ],
  ],
  ['one path is a param', [{ path: '/x/:id' }, { path: '/x/1' }]],
  ['one path is a prefix', [{ path: '/x' }, { path: '/x/*' }]],
  ['the paths differ by case and the monolith is exact', [{ path: '/x' }, { path: '/X' }]],
  ['a pattern has a problem of its own', [{ path: 'x' }, { path: 'x' }]],
])('routes do not conflict where %s', (_, matches) => {
  expect(pairs(exactRules, ...matches)).toEqual([])
})

test('paths that the monolith takes for the same conflict', () => {
  expect(pairs(lenientRules, { path: '/Api/x/' }, { path: '/api/X;v=1' }, { path: '/api/*' })).toEqual(['r0 r1'])
})

test('conflicts come in the order of the file', () => {
  const found = pairs(exactRules, { path: '/b' }, { path: '/a' }, { path: '/a' }, { path: '/b' })
  expect(found).toEqual(['r1 r2', 'r0 r3'])
})

test('ten thousand copies of a route are 9 999 conflicts, and ten thousand tenants of a path none', () => {
  const copies = Array.from({ length: 10_000 }, (): RouteMatch => ({ path: '/x', methods: ['GET', 'HEAD'] }))
  expect(pairs(exactRules, ...copies)).toHaveLength(9_999)
  const tenants = copies.map((match, index) => ({ ...match, fields: { tenant: String(index) } }))
  expect(pairs(exactRules, ...tenants)).toEqual([])
})
