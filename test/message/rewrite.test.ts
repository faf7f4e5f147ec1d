import { expect, test } from 'vitest'
import { answerOf } from '../../gateway/message/answer.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'
import { editFields, pathRewriteOf, restoreAnswer, rewriteTarget } from '../../gateway/message/rewrite.ts'

function rewriteOf(pattern: string, to: string) {
  const rewrite = pathRewriteOf(pattern, to)
  if (typeof rewrite === 'string') throw new Error(rewrite)
  return rewrite
}

test.each([
  ['/api/search', '/v1/search', '/api/search?q=a%20b', '/api/search', '/v1/search?q=a%20b'],
  ['/api/search', '/v1/search', '/%61pi/search?q', '/api/search', '/v1/search?q'],
  ['/old/*', '/new', '/old/a%2Fb//c?x=/', '/old/a%2Fb//c', '/new/a%2Fb//c?x=/'],
  ['/old/*', '/new/', '/old', '/old', '/new'],
  ['/old/*', '/', '/old/x', '/old/x', '/x'],
  ['/old/*', '/', '/old', '/old', '/'],
  ['/*', '/legacy', '/a/b', '/a/b', '/legacy/a/b'],
  ['/old/*', '/new', '/x/../old/y', '/old/y', '/new/y'],
  ['/old/*', '/new', 'http://shop/old/y?z', '/old/y', '/new/y?z'],
  ['/*', '/new', '/..', '/', '/new/'],
  ['/*', '/new', '/%2e%2E;x', '/', '/new/'],
  ['/*', '/new', 'http://shop?/../z', '/', '/new?/../z'],
  ['/old/*', '/new', '/old#/../z', '/old', '/new#/../z'],
  ['/old/*', '/new', '/old/A/', '/old/a', '/new/A/'],
  [
    '/docs/:id/summary',
    '/v1/summaries/:id',
    '/docs/d%201/summary?full',
    '/docs/d%201/summary',
    '/v1/summaries/d%201?full',
  ],
])('%s rewritten to %s makes of %s', (pattern, to, ...[target, path, sent]) => {
  expect(rewriteTarget({ target, path }, rewriteOf(pattern, to))).toBe(sent)
})

test('a name that the pattern does not have is refused with the remedy', () => {
  expect(pathRewriteOf('/docs/:id', '/v1/:doc')).toMatch(
    /":doc" is not in the route's path \/docs\/:id; use one of its names/,
  )
})

test('Location and cookie paths lead back to the public site, others stay', () => {
  const target = { origin: 'http://search:4100', secure: false, host: 'search', port: 4100, verify: true }
  const restored = (name: string, value: string) => {
    const answer = answerOf(
      { status: 302, reason: '', fields: fieldsOf([name, value]), body: undefined, by: 'upstream' },
      () => 0,
    )
    return restoreAnswer(answer, rewriteOf('/api/search/*', '/v1'), { targets: [target], publicOrigin: 'https://shop' })
      .fields.raw[1]
  }
  expect(restored('Location', '/v1/next?p=2')).toBe('/api/search/next?p=2')
  expect(restored('Location', 'http://search:4100/v1/next')).toBe('https://shop/api/search/next')
  expect(restored('location', 'https://shop/v1')).toBe('https://shop/api/search')
  expect(restored('Location', '/v10/next')).toBe('/v10/next')
  expect(restored('Location', '//evil/v1/next')).toBe('//evil/v1/next')
  expect(restored('Location', 'http://other/v1/next')).toBe('http://other/v1/next')
  expect(restored('Set-Cookie', 'a=b; Path=/v1; HttpOnly')).toBe('a=b; Path=/api/search; HttpOnly')
  expect(restored('Set-Cookie', 'a=b; path=/')).toBe('a=b; path=/')
  expect(restored('X-Other', '/v1/next')).toBe('/v1/next')
})

test('fields are set in place of what was there, and removed in any case', () => {
  const fields = fieldsOf(['A', '1', 'B', '2', 'a', '3'])
  expect(editFields(fields, { set: { A: '9' }, remove: ['b'] }).raw).toEqual(['A', '9'])
})
