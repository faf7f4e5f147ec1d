// Which paths are accepted, where they lead, and what the others are told.
import { expect, test } from 'vitest'
import { type Footing, followPaths, parseJsonPath } from '../../gateway/comparing/jsonPath.ts'

test.each([
  ['$', [], ['a']],
  ['$.tookMs', ['tookMs'], ['tookms']],
  ['$.items[*].id', ['items', 7, 'id'], ['items', 'id']],
  ['$.items[2]', ['items', 2], ['items', 3]],
  ['$..updatedAt', ['a', 0, 'updatedAt'], ['a', 'updatedAt', 'b']],
  ['$..updatedAt', ['updatedAt'], []],
  ['$.by.*.at', ['by', 'x', 'at'], ['by', 'at']],
  ['$[\'odd key\']["a\\"b"]', ['odd key', 'a"b'], ['odd key', 'a']],
  ['$..a..b', ['a', 'x', 'a', 'b'], ['b', 'a']],
  ['$..[0]', ['a', 0], ['a', 1]],
  ['$.grün._id-1', ['grün', '_id-1'], ['grün', '_id']],
  ['$.__proto__', ['__proto__'], ['constructor']],
])('%s leads to %j and not to %j', (path, to, notTo) => {
  expect(parseJsonPath(path)).toMatchObject({ text: path })
  const walk = (keys: readonly (string | number)[]) =>
    keys.reduce<Footing>((footing, key) => footing.down(key), followPaths(['$.other', path])).isEnd
  expect(walk(to)).toBe(true)
  expect(walk(notTo)).toBe(false)
})

test.each([
  ['tookMs', 'must start with "$"; write "$.tookMs"'],
  ['.tookMs', 'must start with "$"; write "$.tookMs"'],
  ['', 'must start with "$"; write "$."'],
  ['$tookMs', 'cannot be read from "tookMs" on; write ".key", "..key", "[*]", "[0]" or "[\'a key\']"'],
  ['$.a[]', 'cannot be read from "[]" on; write "[*]" for all elements'],
  ['$.a[-1]', 'cannot be read from "[-1]" on; count from the front'],
  ['$.a[?(@.b)]', 'cannot be read from "[?(@.b)]" on; conditions are not supported'],
  ['$.a.', 'cannot be read from "." on; write ".key"'],
  ['$.a b', 'cannot be read from " b" on'],
  ['$.a["\\x"]', 'cannot be read from'],
  [`$${'.a'.repeat(31)}`, 'has 31 steps; write one of at most 30'],
])('%s is refused', (path, problem) => {
  const parsed = parseJsonPath(path)
  expect('problem' in parsed && parsed.problem).toContain(problem)
})

test('many deep paths on a deep body take no longer than few', () => {
  let footing = followPaths([`$${'..a'.repeat(30)}`, `$${'..*'.repeat(30)}`])
  for (let depth = 0; depth < 100_000; depth++) footing = footing.down('a')
  expect(footing.isEnd).toBe(true)
})
