// Request -> Route on tables: who wins, who is passed over, what is only nearly met.
import { describe, expect, test } from 'vitest'
import type { PathRules } from '../../gateway/model.ts'
import { createMatcher } from '../../gateway/routing/matcher.ts'
import { ask, exactRules, lenientRules, routeOf, type TestRoute, unmatched } from './asking.ts'

/** The name of the Route that takes the request, with the Routes in file order and in its reverse. */
function taken(routes: readonly TestRoute[], asked: ReturnType<typeof ask>, rules: PathRules = exactRules): string {
  const { route } = createMatcher(routes, unmatched, rules).match(asked)
  const reversed = createMatcher(routes.toReversed(), unmatched, rules).match(asked)
  expect(reversed.route.name).toBe(route.name)
  return route.name
}

describe('the path decides', () => {
  const routes = [
    routeOf('all', '/*'),
    routeOf('api', '/api/*'),
    routeOf('search', '/api/search'),
    routeOf('any api', '/api/:what'),
    routeOf('documents', '/api/documents/*'),
    routeOf('document', '/api/documents/:id'),
    routeOf('summary', '/api/documents/:id/summary'),
    routeOf('first summary', '/api/documents/1/:what'),
    routeOf('versions', '/api/:kind/:id/versions/*'),
    routeOf('slash', '/api/search/'),
    routeOf('proto', '/__proto__/constructor'),
  ]
  test.each([
    ['/api/search', 'search'],
    ['/api/search/', 'slash'],
    ['/api/search/x', 'api'],
    ['/api/searching', 'any api'],
    ['/api', 'api'],
    ['/api/', 'api'],
    ['/api//', 'api'],
    ['/apis', 'all'],
    ['/api/documents', 'any api'],
    ['/api/documents/', 'documents'],
    ['/api/documents/7', 'document'],
    ['/api/documents/7/summary', 'summary'],
    ['/api/documents//summary', 'documents'],
    ['/api/documents/1/summary', 'first summary'],
    ['/api/documents/7/versions/2', 'documents'],
    ['/api/pages/7/versions/2', 'versions'],
    ['/api/pages/7/versions', 'versions'],
    ['/api/pages//versions', 'api'],
    ['/', 'all'],
    ['//api/search', 'all'],
    ['/__proto__/constructor', 'proto'],
    ['/__proto__', 'all'],
    ['/constructor/toString', 'all'],
    ['*', 'all'],
    ['a.example:443', 'all'],
    ['/api/%73earch', 'search'],
    ['/%61pi/x/..%2f', 'api'],
    ['/x/../api/search', 'search'],
    ['/api/./search', 'search'],
    ['/api//search', 'api'],
    ['/api/search%2f..', 'any api'],
    ['/api/search/.', 'slash'],
    ['/api\\search', 'all'],
    ['/api/search?x', 'search'],
    ['/api/search#f', 'search'],
    ['/API/search', 'all'],
  ])('%s goes to "%s"', (target, name) => {
    expect(taken(routes, ask('GET', target))).toBe(name)
  })
})

describe('then methods, fields, query and cookies', () => {
  const routes = [
    routeOf('any', '/x'),
    routeOf('get', '/x', { methods: ['GET'] }),
    routeOf('tenant', '/x', { fields: { 'x-tenant': 'a' } }),
    routeOf('get tenant', '/x', { methods: ['GET'], fields: { 'x-tenant': 'a' } }),
    routeOf('two fields', '/x', { methods: ['GET'], fields: { 'x-tenant': '*', 'x-beta': '1' } }),
    routeOf('query', '/x', { methods: ['GET'], query: { 'a b': 'ü' } }),
    routeOf('cookie', '/x', { methods: ['GET'], cookies: { beta: '1' } }),
    routeOf('below', '/*', { methods: ['POST', 'PUT'] }),
  ]
  test.each([
    [ask('GET', '/x'), 'get'],
    [ask('HEAD', '/x'), 'any'],
    [ask('get', '/x'), 'any'],
    [ask('POST', '/x'), 'any'],
    [ask('GET', '/x', 'X-Tenant', 'a'), 'get tenant'],
    [ask('GET', '/x', 'X-Tenant', 'b'), 'get'],
    [ask('GET', '/x', 'X-Tenant', 'b', 'X-Tenant', 'a'), 'get'],
    [ask('HEAD', '/x', 'x-tenant', 'a'), 'tenant'],
    [ask('GET', '/x', 'x-tenant', 'b', 'x-beta', '1'), 'two fields'],
    [ask('GET', '/x?a+b=%C3%BC'), 'query'],
    [ask('GET', '/x?a%20b=%C3%BC'), 'query'],
    [ask('GET', '/x?a+b=1&a+b=%C3%BC'), 'get'],
    [ask('GET', '/x', 'cookie', 'a=2; beta=1'), 'cookie'],
    [ask('GET', '/x', 'cookie', 'a=2', 'cookie', 'beta=1'), 'cookie'],
    [ask('GET', '/x', 'cookie', 'xbeta=1; beta'), 'get'],
    [ask('GET', '/x', 'cookie', 'beta=2; beta=1'), 'get'],
    [ask('GET', '/x?a+b=%C3%BC', 'x-tenant', 'a', 'cookie', 'beta=1'), 'get tenant'],
    [ask('GET', '/y'), 'unmatched'],
    [ask('PUT', '/y'), 'below'],
  ])('%j goes to "%s"', (asked, name) => {
    expect(taken(routes, asked)).toBe(name)
  })

  test('names that every object has are not taken for fields, query keys or cookies of the request', () => {
    const strange = [routeOf('strange', '/x', { query: { constructor: '*' } })]
    expect(taken(strange, ask('GET', '/x'))).toBe('unmatched')
    expect(taken([routeOf('strange', '/x', { cookies: { toString: '*' } })], ask('GET', '/x'))).toBe('unmatched')
    expect(taken(strange, ask('GET', '/x?constructor'))).toBe('strange')
  })

  test('a more specific path whose methods do not fit does not hide a less specific one that fits', () => {
    const nested = [
      routeOf('a', '/a/b/c', { methods: ['PUT'] }),
      routeOf('b', '/a/:x/c', { methods: ['POST'] }),
      routeOf('c', '/:x/b/c', { methods: ['PATCH'] }),
      routeOf('d', '/a/b/*', { methods: ['DELETE'] }),
      routeOf('e', '/a/*', { methods: ['GET'] }),
    ]
    const names = ['PUT', 'POST', 'PATCH', 'DELETE', 'GET', 'HEAD'].map((method) =>
      taken(nested, ask(method, '/a/b/c')),
    )
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e', 'unmatched'])
  })
})

describe('the host comes before the path', () => {
  const routes = [
    routeOf('anywhere', '/x'),
    routeOf('shop', '/*', { host: 'shop.example' }),
    routeOf('shop put', '/x', { host: 'shop.example', methods: ['PUT'] }),
    routeOf('wild', '/*', { host: '*.example' }),
    routeOf('wilder', '/*', { host: '*.eu.example' }),
    routeOf('six', '/*', { host: '[::1]' }),
  ]
  test.each([
    ['shop.example', 'shop'],
    ['SHOP.example:8080', 'shop'],
    ['shop.example.', 'shop'],
    ['shop.example.:80', 'shop'],
    ['a.example', 'wild'],
    ['a.eu.example', 'wilder'],
    ['a.b.eu.example', 'wilder'],
    ['eu.example', 'wild'],
    ['.example', 'anywhere'],
    ['example', 'anywhere'],
    ['[::1]:8080', 'six'],
    ['', 'anywhere'],
    [`${'a.'.repeat(40_000)}example`, 'anywhere'],
  ])('of %s: "%s"', (host, name) => {
    expect(taken(routes, ask('GET', '/x', 'Host', host))).toBe(name)
  })

  test('the authority of an absolute-form target overrides the Host field', () => {
    expect(taken(routes, ask('GET', 'http://Shop.Example:80/x', 'Host', 'a.example'))).toBe('shop')
    expect(taken(routes, ask('GET', 'http://shop.example@other/x', 'Host', 'shop.example'))).toBe('anywhere')
  })

  test('a request without Host is matched by the routes without host', () => {
    expect(taken(routes, ask('GET', '/x'))).toBe('anywhere')
    expect(taken(routes, ask('GET', '/y'))).toBe('unmatched')
  })
})

describe('what the monolith takes for the same path', () => {
  const routes = [
    routeOf('search', '/API/Search/'),
    routeOf('item', '/Items/:id'),
    routeOf('root', '/'),
    routeOf('double', '/a//'),
  ]
  test.each([
    ['/api/search', 'search'],
    ['/Api/SEARCH/;x=1', 'search'],
    ['/ITEMS;a/7/', 'item'],
    ['/;x', 'root'],
    ['/A//', 'double'],
    ['/a/', 'unmatched'],
    ['/api//search', 'unmatched'],
  ])('%s goes to "%s" when paths are folded', (target, name) => {
    expect(taken(routes, ask('GET', target), lenientRules)).toBe(name)
  })
})

describe('a near miss', () => {
  const routes = [
    routeOf('search', '/api/search', { methods: ['GET'] }),
    routeOf('files', '/Files/:id/*'),
    routeOf('me', '/@me'),
    routeOf('tenant', '/t/', { host: 't.example' }),
  ]
  const matcher = createMatcher(routes, unmatched, exactRules)
  test.each([
    ['/API/search', 'search'],
    ['/api/search/', 'search'],
    ['/api/search;x=1', 'search'],
    ['/api//search', 'search'],
    ['/api%2Fsearch', 'search'],
    ['/api\\search', 'search'],
    ['/x/..%2fapi/search', 'search'],
    ['/files/1/2', 'files'],
    ['/%40me', 'me'],
    ['/api/searching', undefined],
    ['/other', undefined],
    ['/t', undefined],
  ])('of %s is "%s"', (target, nearMiss) => {
    const found = matcher.match(ask('GET', target))
    expect(found.route).toBe(unmatched)
    expect(found.nearMiss).toBe(nearMiss)
    expect(matcher.explain(ask('GET', target)).nearMiss).toBe(nearMiss)
  })

  test('needs the method and the host of the route', () => {
    expect(matcher.match(ask('POST', '/API/search')).nearMiss).toBeUndefined()
    expect(matcher.match(ask('GET', '/T', 'host', 't.example')).nearMiss).toBe('tenant')
  })

  test('is not looked for when a route took the request', () => {
    const both = createMatcher([...routes, routeOf('all', '/*')], unmatched, exactRules)
    expect(both.match(ask('GET', '/API/search'))).toEqual({ route: routeOf('all', '/*'), path: '/API/search' })
  })
})

describe('the auth of a route that a looser reading of the path meets', () => {
  const auth = { any: ['jwt'], scopes: [], mode: 'enforce' } as const
  const admin = { ...routeOf('admin', '/admin/*'), auth }
  const open = routeOf('open', '/open/*')
  const guarded = createMatcher([admin, open], unmatched, exactRules)

  test.each([
    ['/open/..%2Fadmin/x', 'open'],
    ['/ADMIN/x', 'unmatched'],
    ['/admin;v=1/x', 'unmatched'],
    ['//admin/x', 'unmatched'],
    ['/open/%2e%2e%2fadmin', 'open'],
  ])('applies to %s, which goes to %s', (target, route) => {
    const found = guarded.match(ask('GET', target))
    expect([found.route.name, found.guardedBy?.name]).toEqual([route, 'admin'])
    expect(guarded.explain(ask('GET', target)).guardedBy?.name).toBe('admin')
  })

  test('is not looked for twice where its own route takes the request, and not where no other reading meets it', () => {
    expect(guarded.match(ask('GET', '/admin//x')).guardedBy).toBeUndefined()
    expect(guarded.match(ask('GET', '/open/x')).guardedBy).toBeUndefined()
    expect(guarded.match(ask('GET', '/OPEN/x')).guardedBy).toBeUndefined()
  })
})

test('a pattern that was never checked is refused with its problem', () => {
  expect(() => createMatcher([routeOf('bad', '/a*')], unmatched, exactRules)).toThrow(
    'route "bad": path "/a*" has a "*"',
  )
})
