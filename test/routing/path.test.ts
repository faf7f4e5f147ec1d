// The copies of a path for matching: what is folded, and above all what is not.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PathRules } from '../../gateway/model.ts'
import { authorityOf, loosePath, normalisePath, queryOf } from '../../gateway/routing/path.ts'
import { exactRules, lenientRules } from './asking.ts'

const table: [target: string, strict: string, loose: string][] = [
  ['/api/search', '/api/search', '/api/search'],
  ['/', '/', '/'],
  ['/api/search?q=/../x', '/api/search', '/api/search'],
  ['/api/search#f', '/api/search', '/api/search'],
  ['/api/search?', '/api/search', '/api/search'],
  ['/api/%73earch', '/api/search', '/api/search'],
  ['/%61pi', '/api', '/api'],
  ['/x/../api/search', '/api/search', '/api/search'],
  ['/x/%2e%2E/api/search', '/api/search', '/api/search'],
  ['/../../api/search', '/api/search', '/api/search'],
  ['/api/./search', '/api/search', '/api/search'],
  ['/api/search/.', '/api/search/', '/api/search'],
  ['/api/search/x/..', '/api/search/', '/api/search'],
  ['/api//search', '/api//search', '/api/search'],
  ['//api/search', '//api/search', '/api/search'],
  ['///', '///', '/'],
  ['/x//../api', '/x/api', '/api'],
  ['/api\\search', '/api\\search', '/api/search'],
  ['\\api\\search', '\\api\\search', '/api/search'],
  ['/api/search%2f..', '/api/search%2F..', '/api'],
  ['/x/..%2fapi/search', '/x/..%2Fapi/search', '/api/search'],
  ['/x/..%5Capi/search', '/x/..%5Capi/search', '/api/search'],
  ['/api%2fsearch', '/api%2Fsearch', '/api/search'],
  ['/x/..;a=1/api/search', '/x/..;a=1/api/search', '/api/search'],
  ['/api/search;x=1', '/api/search;x=1', '/api/search'],
  ['/api;v=1/search;x', '/api;v=1/search;x', '/api/search'],
  ['/api/search%3Bx=1', '/api/search%3Bx=1', '/api/search'],
  ['/API/Search/', '/API/Search/', '/api/search'],
  ['/%40me', '/%40me', '/@me'],
  ['/a%3fb%23c', '/a%3Fb%23c', '/a%3fb%23c'],
  ['/api/search%00', '/api/search%00', '/api/search%00'],
  ['/api%252fsearch', '/api%252fsearch', '/api%252fsearch'],
  ['/%2573earch', '/%2573earch', '/%2573earch'],
  ['/100%', '/100%25', '/100%25'],
  ['/%%37%33', '/%2573', '/%2573'],
  ['/%zz', '/%25zz', '/%25zz'],
  ['/gr\xc3\xbc', '/gr\xc3\xbc', '/gr%c3%bc'],
  ['/gr%c3%bc', '/gr%C3%BC', '/gr%c3%bc'],
  ['/.well-known/x', '/.well-known/x', '/.well-known/x'],
  ['/...', '/...', '/...'],
  ['http://a.example/api/search?q=1', '/api/search', '/api/search'],
  ['HTTPS://a.example:8443/api/./search', '/api/search', '/api/search'],
  ['http://a.example', '/', '/'],
  ['http://a.example?q', '/', '/'],
  ['http://a.example//x', '//x', '/x'],
  ['*', '*', '*'],
  ['a.example:443', 'a.example:443', 'a.example:443'],
  ['', '', ''],
]

test.each(table)('%s is matched as %s and loosely as %s', (target, strict, loose) => {
  expect(normalisePath(target, exactRules)).toBe(strict)
  expect(loosePath(target)).toBe(loose)
})

const lenient: [target: string, rules: Partial<PathRules>, path: string][] = [
  ['/API/%73Earch%2f', { case: 'insensitive' }, '/api/search%2f'],
  ['/API/\xc4', { case: 'insensitive' }, '/api/\xc4'],
  ['/api/search/', { trailingSlash: 'same' }, '/api/search'],
  ['/api/search//', { trailingSlash: 'same' }, '/api/search//'],
  ['/', { trailingSlash: 'same' }, '/'],
  ['/api/search/..', { trailingSlash: 'same' }, '/api'],
  ['/api;v=1/search;x=1;y', { semicolon: 'same' }, '/api/search'],
  ['/x/..;a/api', { semicolon: 'same' }, '/api'],
  ['/api%3Bx', { semicolon: 'same' }, '/api%3Bx'],
  ['/API/search/;x=1?q', lenientRules, '/api/search'],
]

test.each(lenient)('%s is folded as the rules %j say to %s', (target, rules, path) => {
  expect(normalisePath(target, { ...exactRules, ...rules })).toBe(path)
})

/** Targets made of the pieces that path smugglers use. */
const hostile = fc
  .array(
    fc.constantFrom(
      '/',
      '.',
      '%',
      '2',
      'e',
      'E',
      '5',
      'c',
      '%2e',
      '%2F',
      '%5c',
      '\\',
      ';',
      'A',
      '7',
      '?',
      '#',
      '\xff',
      ':',
    ),
  )
  .map((pieces) => pieces.join(''))
const targets = fc.oneof(
  hostile,
  hostile.map((rest) => `/${rest}`),
  hostile.map((rest) => `http://a/${rest}`),
)
const rules = fc.record<PathRules>({
  case: fc.constantFrom('exact', 'insensitive'),
  trailingSlash: fc.constantFrom('distinct', 'same'),
  semicolon: fc.constantFrom('distinct', 'same'),
})

describe('for any target and any rules', () => {
  test('a normalised path is normalised to itself', () => {
    fc.assert(
      fc.property(targets, rules, (target, some) => {
        const path = normalisePath(target, some)
        expect(normalisePath(path, some)).toBe(path)
      }),
      { numRuns: 5000 },
    )
  })

  test('a loose path is loosened to itself, and has no capital, dot segment, double or trailing slash left', () => {
    fc.assert(
      fc.property(targets, (target) => {
        const path = loosePath(target)
        expect(loosePath(path)).toBe(path)
        if (path.startsWith('/')) expect(path).not.toMatch(/[A-Z;\\]|\/\/|\/\.\.?(\/|$)|.\/$/)
      }),
      { numRuns: 5000 },
    )
  })

  test('whoever folds first and loosens then reads the same as whoever loosens at once, but for merged slashes', () => {
    fc.assert(
      fc.property(targets, rules, (target, some) => {
        fc.pre(!/[/\\]{2}|%(?:2f|5c)|;|\\/i.test(target))
        expect(loosePath(normalisePath(target, some))).toBe(loosePath(target))
      }),
      { numRuns: 2000 },
    )
  })
})

test('an encoded path is decoded as the URL standard decodes it, for paths of unreserved characters', () => {
  const segment = fc.stringMatching(/^[A-Za-z0-9._~-]{0,4}$/)
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1 }), (segments) => {
      const plain = `/${segments.join('/')}`
      const encoded = plain.replace(/[^/]/g, (character) => `%${character.charCodeAt(0).toString(16)}`)
      expect(normalisePath(encoded, exactRules)).toBe(new URL(`http://a${plain}`).pathname)
    }),
  )
})

test('a path that needs no work comes back as it is', () => {
  expect(normalisePath('/api/search', lenientRules)).toBe('/api/search')
  expect(normalisePath('/api/search?q=%41', lenientRules)).toBe('/api/search')
})

test.each([
  ['/a?b=1&c', 'b=1&c'],
  ['/a?b#c?d', 'b'],
  ['/a#b?c', ''],
  ['/a', ''],
  ['http://h?x=1', 'x=1'],
  ['/a?b?c', 'b?c'],
])('the query of %s is "%s"', (target, query) => {
  expect(queryOf(target)).toBe(query)
})

test.each([
  ['http://user:pw@a.example:80/x@y', 'a.example:80'],
  ['http://a.example?x', 'a.example'],
  ['//a.example/x', undefined],
  ['/http://a.example/', undefined],
  ['*', undefined],
])('the authority of %s is %s', (target, authority) => {
  expect(authorityOf(target)).toBe(authority)
})
