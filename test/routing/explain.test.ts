// What `banyan explain` is told: why this Route, which came second, why not the others.
import { expect, test } from 'vitest'
import { createMatcher } from '../../gateway/routing/matcher.ts'
import { ask, exactRules, routeOf, unmatched } from './asking.ts'

const routes = [
  routeOf('api', '/api/*'),
  routeOf('search', '/api/search', { methods: ['GET', 'HEAD'] }),
  routeOf('write', '/api/search', { methods: ['POST'] }),
  routeOf('any search', '/api/search'),
  routeOf('beta', '/api/search', { methods: ['GET'], fields: { 'x-beta': '1' } }),
  routeOf('draft', '/api/search', { methods: ['GET'], query: { draft: '*' }, cookies: { staff: '1' } }),
  routeOf('shop', '/api/search', { host: '*.shop.example' }),
  routeOf('what', '/api/:what'),
  routeOf('other', '/other'),
]
const matcher = createMatcher(routes, unmatched, exactRules)

test('the route, the one that came second, and each of its path that did not take the request', () => {
  const { route, path, because, second, rejected, nearMiss } = matcher.explain(ask('GET', '/api/%73earch?q=1'))
  expect([route.name, path, second?.name, nearMiss]).toEqual(['search', '/api/search', 'any search', undefined])
  expect(because).toBe('it is for fewer methods than route "any search" of the same path')
  expect(rejected.map((one) => `${one.route.name}: ${one.because}`)).toEqual([
    'beta: it asks for the field "x-beta" to be "1"',
    'draft: it asks for the query key "draft"',
    'write: it takes POST, not GET',
    'shop: it is for the host "*.shop.example"',
  ])
})

test.each([
  [ask('GET', '/api/search', 'x-beta', '1'), 'it asks for more fields than route "search" of the same path'],
  [
    ask('GET', '/api/search?draft', 'cookie', 'staff=1'),
    'it asks for more query keys than route "search" of the same path',
  ],
  [
    ask('GET', '/api/search', 'host', 'a.shop.example'),
    'the host "*.shop.example" is more specific than no host of route "search"',
  ],
  [ask('PUT', '/api/search'), 'the path "/api/search" is exact, that of route "what" has a :param'],
  [ask('GET', '/api/x'), 'the path "/api/:what" has a :param, that of route "api" is a prefix'],
  [ask('GET', '/api/x/y'), 'no other route takes it; the path "/api/*" is a prefix'],
  [ask('GET', '/x'), 'no route takes it'],
])('%j: %s', (asked, because) => {
  expect(matcher.explain(asked).because).toBe(because)
})

test('of two prefixes the more specific one is said to be so', () => {
  const nested = createMatcher([routeOf('a', '/a/*'), routeOf('b', '/a/:b/*')], unmatched, exactRules)
  expect(nested.explain(ask('GET', '/a/b')).because).toBe(
    'the path "/a/:b/*" is more specific than "/a/*" of route "a"',
  )
})

test('a request that no route takes is told whose methods it missed, and its near miss', () => {
  const few = createMatcher([routeOf('search', '/api/search', { methods: ['GET'] })], unmatched, exactRules)
  expect(few.explain(ask('POST', '/api/search'))).toEqual({
    route: unmatched,
    path: '/api/search',
    because: 'no route takes it',
    rejected: [{ route: few.match(ask('GET', '/api/search')).route, because: 'it takes GET, not POST' }],
  })
  expect(few.explain(ask('GET', '/api/search/')).nearMiss).toBe('search')
})
