// What a search costs, counted in nodes and Routes looked at: flat in the number of Routes, bounded for hostile input.
import { describe, expect, test } from 'vitest'
import { candidateOf } from '../../gateway/routing/candidate.ts'
import { createMatcher } from '../../gateway/routing/matcher.ts'
import { loosePath, normalisePath } from '../../gateway/routing/path.ts'
import { type Pattern, parsePattern } from '../../gateway/routing/pattern.ts'
import { createTable, walkTable } from '../../gateway/routing/table.ts'
import { ask, exactRules, lenientRules, routeOf, type TestRoute, unmatched } from './asking.ts'

/** How many nodes and Routes are looked at until `take` says yes (by default never: the dearest search). */
function countSteps(routes: readonly TestRoute[], path: string, take = (_: TestRoute) => false): number {
  const table = createTable(routes.map((route) => candidateOf(route, parsePattern(route.match.path) as Pattern)))
  const walk = { path, take: ({ route }: { route: TestRoute }) => take(route), steps: 0 }
  walkTable(table, walk)
  return walk.steps
}

/** A quarter each: exact, params in the middle, params at the end, prefixes. */
function manyRoutes(count: number): TestRoute[] {
  return Array.from({ length: count }, (_, index) => {
    const area = Math.floor(index / 4)
    const paths = [`/a${area}/list`, `/a${area}/:id/items`, `/a${area}/items/:id`, `/a${area}/files/*`]
    return routeOf(`r${index}`, paths[index % 4] ?? '')
  })
}

describe('from 10 to 10 000 routes', () => {
  test.each(['/a0/list', '/a1/7/items', '/a1/items/7', '/a0/files/x/y/z', '/nowhere', '/a0/nowhere/else', '/'])(
    'a search for %s takes the same steps',
    (path) => {
      const few = countSteps(manyRoutes(10), path)
      expect(few).toBeLessThanOrEqual(12)
      expect(countSteps(manyRoutes(100), path)).toBe(few)
      expect(countSteps(manyRoutes(10_000), path)).toBe(few)
    },
  )

  test('an exact path is found in two steps', () => {
    expect(countSteps(manyRoutes(10_000), '/a2000/list', () => true)).toBe(2)
  })

  test('each host is a table of its own', () => {
    const routes = manyRoutes(10_000).map((route, index) => routeOf(route.name, '/*', { host: `h${index}.example` }))
    const matcher = createMatcher(routes, unmatched, exactRules)
    expect(matcher.match(ask('GET', '/x', 'host', 'h7000.example')).route.name).toBe('r7000')
    expect(matcher.match(ask('GET', '/x', 'host', 'h10000.example')).route.name).toBe('unmatched')
  })
})

describe('hostile input', () => {
  test('a path of thousands of segments is walked only as deep as the deepest pattern', () => {
    const path = '/a'.repeat(30_000)
    expect(countSteps([routeOf('deep', '/:a/:b/:c/x'), routeOf('all', '/a/a/*')], path)).toBeLessThanOrEqual(10)
  })

  test('ten thousand routes that begin with the same params share their nodes', () => {
    const routes = Array.from({ length: 10_000 }, (_, index) => routeOf(`r${index}`, `/:a/:b/:c/:d/x${index}`))
    expect(countSteps(routes, '/a/b/c/d/none')).toBeLessThanOrEqual(8)
    expect(countSteps(routes, '/a/b/c/d/x9999')).toBeLessThanOrEqual(9)
  })

  test('the worst set of patterns, every mix of literals and params, costs at most each of its nodes once', () => {
    const depth = 12
    const mixes = Array.from({ length: 2 ** depth }, (_, mix) =>
      routeOf(
        `r${mix}`,
        `/${Array.from({ length: depth }, (__, at) => ((mix >> at) & 1 ? `:p${at}` : 'x')).join('/')}/end`,
      ),
    )
    const nodes = 2 ** (depth + 1)
    expect(countSteps(mixes, '/x'.repeat(depth))).toBeLessThanOrEqual(nodes + 4)
    expect(countSteps(mixes, '/x'.repeat(5000))).toBeLessThanOrEqual(nodes + 4)
  })

  test('targets of 64 KiB end where they should', () => {
    const routes = [routeOf('deep', '/:a/:b/*', { methods: ['PUT'] }), routeOf('a', '/a', { query: { x: '1' } })]
    const matcher = createMatcher(routes, unmatched, lenientRules)
    const fill = (piece: string) => piece.repeat(65_536 / piece.length)
    for (const piece of [
      '/',
      '/..',
      '/.',
      '%2e',
      '/%2e%2E',
      '%',
      '%41',
      ';',
      '/;',
      '\\',
      '/%2f..',
      'A',
      '/__proto__',
      '?x',
      '&x=2',
      '\xff',
    ]) {
      const found = matcher.match(ask('GET', `/a${fill(piece)}`))
      expect(found.route).toBe(unmatched)
      expect(found.path.length).toBeLessThanOrEqual(3 * 65_538)
      expect(matcher.match(ask('GET', `/a?${fill(piece)}`)).path).toBe('/a')
    }
    expect(normalisePath(`/api${fill('/..')}`, exactRules)).toBe('/')
    expect(loosePath(`/api${fill('/%2f')}`)).toBe('/api')
  })

  test('the deepest pattern that is accepted is met', () => {
    const named = Array.from({ length: 128 }, (_, index) => `/:p${index}`).join('')
    const matcher = createMatcher([routeOf('deep', named)], unmatched, exactRules)
    expect(matcher.match(ask('GET', '/x'.repeat(128))).route.name).toBe('deep')
    expect(matcher.match(ask('GET', '/x'.repeat(129))).route.name).toBe('unmatched')
  })
})

test('the fields are not read for routes that ask for none and have no host', () => {
  const asked = {
    method: 'GET',
    target: '/x?y=1',
    get fields(): never {
      throw new Error('the fields were read')
    },
  }
  const matcher = createMatcher([routeOf('x', '/x', { methods: ['GET'] }), routeOf('all', '/*')], unmatched, exactRules)
  expect(matcher.match(asked).route.name).toBe('x')
})
