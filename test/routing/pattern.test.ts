// Which patterns are accepted, and what the others are told.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loosenPattern, type Pattern, parsePattern, shapeOf } from '../../gateway/routing/pattern.ts'

test.each([
  ['/', 'exact', '/'],
  ['/*', 'prefix', '/*'],
  ['/api/search', 'exact', '/api/search'],
  ['/api/search/', 'exact', '/api/search/'],
  ['/api/*', 'prefix', '/api/*'],
  ['/api//*', 'prefix', '/api//*'],
  ['/a/:id/b', 'params', '/a/:/b'],
  ['/a/:id/*', 'prefix', '/a/:/*'],
  ['/a:b/c;d=1/@me/100%25', 'exact', '/a:b/c;d=1/@me/100%25'],
  ['/a%2Fb/gr%C3%BC', 'exact', '/a%2Fb/gr%C3%BC'],
  ['/__proto__/:constructor', 'params', '/__proto__/:'],
])('%s is accepted as %s with the shape %s', (path, kind, shape) => {
  const pattern = parsePattern(path) as Pattern
  expect(pattern.kind).toBe(kind)
  expect(shapeOf(pattern)).toBe(shape)
})

test.each([
  ['api/search', 'must start with "/"; write "/api/search"'],
  ['', 'must start with "/"; write "/"'],
  ['/a?b=1', 'must not contain "?" or "#"; write "/a" and put the query under "query"'],
  ['/a#b', 'must not contain "?" or "#"; write "/a"'],
  ['/a/{id}/b', 'names a segment with braces; write ":id" instead of "{id}"'],
  ['/grün', 'has characters that requests carry encoded; write "/gr%C3%BCn"'],
  ['/a b', 'has characters that requests carry encoded; write "/a%20b"'],
  ['/a\\b', 'has characters that requests carry encoded; write "/a%5Cb"'],
  ['/\ud800', 'has characters that requests carry encoded; write "/%EF%BF%BD"'],
  ['/%61pi', 'would never be met, since requests are normalised; write "/api"'],
  ['/a%2fb', 'would never be met, since requests are normalised; write "/a%2Fb"'],
  ['/100%', 'would never be met, since requests are normalised; write "/100%25"'],
  ['/a/../b', 'would never be met, since requests are normalised; write "/b"'],
  ['/a/./b', 'would never be met, since requests are normalised; write "/a/b"'],
  ['/a/%2E%2e/b', 'would never be met, since requests are normalised; write "/b"'],
  ['/a/..;x/b', 'has the dot segment "..;x", which some servers remove; write the path without it'],
  ['/a*', 'has a "*" that is not its last segment'],
  ['/a/*/b', 'has a "*" that is not its last segment'],
  ['/a/**', 'has a "*" that is not its last segment'],
  ['/*/', 'has a "*" that is not its last segment'],
  ['/a/:/b', 'has a ":" without a name; write for example ":id"'],
  ['/a/:1', 'has the segment ":1"; name it with letters, digits and "_" only'],
  ['/a/:id.json', 'has the segment ":id.json"; name it'],
  ['/:id/b/:id', 'has two segments named ":id"; give them different names'],
  ['/a'.repeat(129), 'the path has 129 segments; write a prefix of at most 128 and end it with "/*"'],
])('%s is refused', (path, problem) => {
  const parsed = parsePattern(path)
  expect('problem' in parsed && parsed.problem).toContain(problem)
})

test('what a problem says to write instead is accepted', () => {
  const pieces = fc.constantFrom('/', 'a', 'ü', ' ', '\\', '%41', '%2f', '%', '.', '%2e', '?', '#', '{id}', ';')
  fc.assert(
    fc.property(fc.array(pieces), (parts) => {
      let path = parts.join('')
      for (let round = 0; round < 5; round++) {
        const parsed = parsePattern(path)
        const remedy =
          'problem' in parsed
            ? /(?:;|; write ":\w+" instead of) write "(\/[^"]*)"/.exec(parsed.problem)?.[1]
            : undefined
        if (remedy === undefined) break
        path = remedy
      }
      const parsed = parsePattern(path)
      if ('problem' in parsed) expect(parsed.problem).toMatch(/dot segment|braces/)
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['/API/Search/', '/api/search'],
  ['/a//b%2FC;x/:Id/', '/a/b/c/:'],
  ['/', '/'],
  ['//', '/'],
  ['//*', '/*'],
  ['/%3Ax', '/:x'],
])('%s is loosened to %s', (path, shape) => {
  expect(shapeOf(loosenPattern(parsePattern(path) as Pattern))).toBe(shape)
})
