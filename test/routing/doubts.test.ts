// The one warning about spellings of a path that the monolith may take for the same.
import { expect, test } from 'vitest'
import { findPathDoubts } from '../../gateway/routing/doubts.ts'

function declare(name: string, path: string, line: number, moves = true) {
  return { name, match: { path }, position: { line, column: 5 }, ...(moves && { move: { to: 'search' } }) }
}

test('the first route that moves gets the warning, with example paths, the number of the others and the remedy', () => {
  const routes = [
    declare('new', '/new', 2, false),
    declare('search', '/api/search', 9),
    declare('all', '/*', 12),
    declare('summary', '/api/documents/:id/summary', 15),
    declare('documents', '/api/documents/*', 19),
  ]
  expect(findPathDoubts(routes, false)).toEqual({
    line: 9,
    column: 5,
    severity: 'warning',
    message:
      'the monolith may take "/API/SEARCH", "/api/search/" or "/api/search;x=1" for "/api/search" too, and route "search" ' +
      '(and 2 other routes likewise) would not move them; say which the monolith does: ' +
      'paths: { case: exact | insensitive, trailingSlash: distinct | same, semicolon: distinct | same }',
  })
})

test.each([
  ['/api/documents/:id', '"/API/DOCUMENTS/1", "/api/documents/1/" or "/api/documents/1;x=1"'],
  ['/api/*', '"/API" or "/api;x=1"'],
  ['/123', '"/123/" or "/123;x=1"'],
  ['/a/', '"/A/" or "/a"'],
])('the example paths of %s are %s', (path, examples) => {
  expect(findPathDoubts([declare('r', path, 1)], false)?.message).toContain(
    `the monolith may take ${examples} for "${path}"`,
  )
})

test.each([
  ['paths are declared', [declare('a', '/a', 1)], true],
  ['nothing moves', [declare('a', '/a', 1, false)], false],
  ['everything moves', [declare('a', '/*', 1)], false],
  ['the root moves', [declare('a', '/', 1)], false],
  ['the pattern has a problem of its own', [declare('a', 'a', 1)], false],
])('there is no doubt where %s', (_, routes, isDeclared) => {
  expect(findPathDoubts(routes, isDeclared)).toBeUndefined()
})
