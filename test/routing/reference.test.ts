// The matcher against a naive one that looks at every Route: the same answer for any routes and any request.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Asked, RouteMatch } from '../../gateway/model.ts'
import { findConflicts } from '../../gateway/routing/conflicts.ts'
import { createMatcher } from '../../gateway/routing/matcher.ts'
import { ask, exactRules, type TestRoute, unmatched } from './asking.ts'

type Score = readonly number[]

/** Undefined: the Route does not take the request. Else numbers to compare one by one, larger first. */
function scoreOf(match: RouteMatch, asked: Asked): Score | undefined {
  const host = scoreHost(match.host, asked.fields.get('host') ?? '')
  const path = scorePath(match.path, asked.target.replace(/\?.*/, ''))
  if (host === undefined || path === undefined || (match.methods && !match.methods.includes(asked.method)))
    return undefined
  const query = new Map([...new URLSearchParams(asked.target.split('?')[1] ?? '')].toReversed())
  if (!isMet(match.fields, (name) => asked.fields.get(name)) || !isMet(match.query, (name) => query.get(name)))
    return undefined
  const size = (record: object | undefined) => Object.keys(record ?? {}).length
  return [host, ...path, match.methods ? 1 : 0, size(match.fields), size(match.query)]
}

function isMet(
  wanted: Readonly<Record<string, string>> | undefined,
  get: (name: string) => string | undefined,
): boolean {
  return Object.entries(wanted ?? {}).every(([name, value]) => {
    const found = get(name)
    return value === '*' ? found !== undefined : found === value
  })
}

function scoreHost(pattern: string | undefined, host: string): number | undefined {
  if (pattern === undefined) return 0
  if (pattern === host) return 1000
  return pattern.startsWith('*') && host.endsWith(pattern.slice(1)) && host.length >= pattern.length
    ? pattern.length
    : undefined
}

/** Kind, then each segment (literal 2, param 1, none 0), padded to the same length. */
function scorePath(pattern: string, path: string): number[] | undefined {
  const isPrefix = pattern.endsWith('/*')
  const wanted = (isPrefix ? pattern.slice(0, -2) : pattern).split('/').slice(1)
  const found = path.split('/').slice(1)
  if (isPrefix ? found.length < wanted.length : found.length !== wanted.length) return undefined
  const isMetBy = (text: string, at: number) => (text.startsWith(':') ? found[at] !== '' : text === found[at])
  if (!wanted.every(isMetBy)) return undefined
  const points = wanted.map((text) => (text.startsWith(':') ? 1 : 2))
  const kind = isPrefix ? 0 : points.includes(1) ? 1 : 2
  return [kind, ...points, ...Array<number>(8 - points.length).fill(0)]
}

function compareScores(a: Score, b: Score): number {
  for (const [index, points] of a.entries()) if (points !== b[index]) return (b[index] ?? 0) - points
  return 0
}

/** All that take it, the best first. */
function rankNaively<R extends TestRoute>(routes: readonly R[], asked: Asked): { route: R; score: Score }[] {
  const scored = routes.flatMap((route) => {
    const score = scoreOf(route.match, asked)
    return score ? { route, score } : []
  })
  return scored.sort((a, b) => compareScores(a.score, b.score) || (a.route.name < b.route.name ? -1 : 1))
}

const literal = fc.constantFrom('a', 'b', '', '__proto__')
const segment = fc.oneof({ weight: 2, arbitrary: literal }, { weight: 1, arbitrary: fc.constant(':') })
const patterns = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([segments, isPrefix]) => {
    const named = segments.map((text, index) => (text === ':' ? `:p${index}` : text))
    return `/${(isPrefix ? [...named, '*'] : named).join('/')}`
  })
const values = fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom('1', '2', '*'), { maxKeys: 2 })
const matches: fc.Arbitrary<RouteMatch> = fc.record(
  {
    path: patterns,
    methods: fc.subarray(['GET', 'PUT', 'HEAD'], { minLength: 1 }),
    host: fc.constantFrom('a.x.example', 'x.example', '*.x.example', '*.example'),
    fields: values,
    query: values,
  },
  { requiredKeys: ['path'] },
)
const manyRoutes = fc
  .array(matches, { maxLength: 25 })
  .map((all) => all.map((match, line) => ({ name: `r${line}`, match, position: { line, column: 1 } })))
/** Routes and requests so much alike that two of equal rank are common. */
const twins = fc
  .array(fc.record<RouteMatch>({ path: fc.constantFrom('/a', '/:p', '/a/*'), fields: values, query: values }), {
    minLength: 6,
    maxLength: 12,
  })
  .map((all) => all.map((match, line) => ({ name: `r${(line * 5) % 12}`, match, position: { line, column: 1 } })))
const alike = fc
  .record({
    query: fc.constantFrom('', '?x=1', '?x=2&y=1'),
    fields: fc.constantFrom<string[]>([], ['x', '1', 'y', '2']),
  })
  .map(({ query, fields }) => ask('GET', `/a${query}`, ...fields))
const requests = fc
  .record({
    method: fc.constantFrom('GET', 'PUT', 'POST'),
    path: fc.array(literal, { minLength: 1, maxLength: 5 }).map((segments) => `/${segments.join('/')}`),
    query: fc.constantFrom('', '?x=1', '?x=2&y=1', '?y=1&x=1&x=2'),
    fields: fc.constantFrom<string[]>([], ['x', '1'], ['X', '2', 'y', '1'], ['y', '2', 'x', '2', 'x', '1']),
    host: fc.constantFrom<string[]>([], ['host', 'a.x.example'], ['host', 'x.example'], ['host', 'b.example']),
  })
  .map(({ method, path, query, fields, host }) => ask(method, path + query, ...host, ...fields))

test('every request goes where a matcher that scores all routes sends it', () => {
  fc.assert(
    fc.property(manyRoutes, fc.array(requests, { minLength: 5, maxLength: 10 }), (routes, asked) => {
      const matcher = createMatcher(routes, unmatched, exactRules)
      for (const one of asked) {
        const [best, second] = rankNaively(routes, one).map(({ route }) => route.name)
        const explained = matcher.explain(one)
        expect(matcher.match(one).route.name).toBe(best ?? 'unmatched')
        expect(explained.route.name).toBe(best ?? 'unmatched')
        expect(explained.second?.name).toBe(second)
      }
    }),
    { numRuns: 3000 },
  )
})

test('file order never counts, not even among routes that conflict', () => {
  fc.assert(
    fc.property(twins, alike, (routes, asked) => {
      const forwards = createMatcher(routes, unmatched, exactRules).match(asked)
      expect(createMatcher(routes.toReversed(), unmatched, exactRules).match(asked)).toEqual(forwards)
    }),
    { numRuns: 1000 },
  )
})

test('of two routes that take one request with the same score, the later is named as a conflict', () => {
  let ties = 0
  fc.assert(
    fc.property(twins, alike, (routes, asked) => {
      const later = new Set(findConflicts(routes, exactRules).map((conflict) => conflict.second.name))
      const [best, second] = rankNaively(routes, asked)
      if (best === undefined || second === undefined || compareScores(best.score, second.score) !== 0) return
      ties++
      const [, last] = [best, second].toSorted((a, b) => a.route.position.line - b.route.position.line)
      expect(later).toContain(last?.route.name)
    }),
    { numRuns: 3000 },
  )
  expect(ties).toBeGreaterThan(100)
})

test('whatever is called a conflict has a request that both take with the same score', () => {
  fc.assert(
    fc.property(fc.oneof(manyRoutes, twins), (routes) => {
      for (const { first, second } of findConflicts(routes, exactRules)) {
        const request = requestForBoth(first.match, second.match)
        const scores = [first, second].map(({ match }) => scoreOf(match, request))
        expect(scores[0]).toBeDefined()
        expect(scores[0]).toEqual(scores[1])
      }
    }),
    { numRuns: 2000 },
  )
})

/** Made of what both ask for; a certain value is written over `*`. */
function requestForBoth(a: RouteMatch, b: RouteMatch): Asked {
  const both = (x: Readonly<Record<string, string>> = {}, y: Readonly<Record<string, string>> = {}) =>
    [...Object.entries(x), ...Object.entries(y)].sort(([, value]) => (value === '*' ? 1 : -1))
  const method = (a.methods ?? ['GET']).find((name) => (b.methods ?? ['GET']).includes(name)) ?? 'NONE'
  const query = new URLSearchParams(both(a.query, b.query)).toString()
  const host = a.host?.replace('*', 'some') ?? ''
  const path = a.path.replace('/*', '') || '/'
  return ask(method, `${path}?${query}`, 'host', host, ...both(a.fields, b.fields).flat())
}
