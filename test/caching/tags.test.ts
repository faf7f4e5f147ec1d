// By what names answers can be purged, and how long they are worth their room.
import { expect, test } from 'vitest'
import { keptForMs } from '../../gateway/caching/keeping.ts'
import { isNamed, namedTag, namesOfAnswer, pathTag, routeTag, uriTag } from '../../gateway/caching/tags.ts'
import { epoch, fields, refused, silent, stored } from './world.ts'

test.each<[string[], string[]]>([
  [[], []],
  [['Cache-Tag: a'], ['a']],
  [
    ['cache-tag: a, b ,,c', 'Cache-Tag: c,d e'],
    ['a', 'b', 'c', 'd e'],
  ],
  [['Surrogate-Key: a  b\tc'], ['a', 'b', 'c']],
  [
    ['Cache-Tag: A', 'Surrogate-Key: a A', 'Surrogate-Control: max-age=1'],
    ['A', 'a'],
  ],
  [['Cache-Tag: ', 'Surrogate-Key: '], []],
])('the names in %j are %j', (lines, names) => expect(namesOfAnswer(fields(...lines))).toEqual(names))

test('tags of different kinds are never the same, and say nothing of what they stand for', () => {
  const tags = [uriTag, pathTag, routeTag, namedTag].map((of) => of('/a?token=geheim'))
  expect(new Set(tags).size).toBe(4)
  expect(tags.map((tag) => /^[uprt][\w-]{22}$/.test(tag))).toEqual([true, true, true, true])
  expect(tags.map(isNamed)).toEqual([false, false, false, true])
})

test('an answer with more names than anybody can purge by is not stored', () => {
  const named = (count: number) => [`Cache-Tag: ${Array.from({ length: count }, (_, i) => `t${i}`).join(',')}`]
  const fresh = 'Cache-Control: max-age=100'
  expect([refused({ answered: [fresh, ...named(256)] }), refused({ answered: [fresh, ...named(257)] })]).toEqual([
    undefined,
    'tags',
  ])
})

const day = 24 * 60 * 60

test.each<[string, string[], object, number]>([
  ['while it is fresh', ['Cache-Control: max-age=100'], {}, 90],
  ['while it may be given stale', ['Cache-Control: max-age=100, stale-if-error=50'], {}, 140],
  ['as the route says', [], { freshMs: 20_000, staleWhileRevalidateMs: 5_000 }, 15],
  [
    'not as the route says where its origin forbids it',
    ['Cache-Control: max-age=20, must-revalidate'],
    { staleIfErrorMs: 9_000 },
    10,
  ],
  ['while it may be asked after', ['Cache-Control: max-age=0', 'ETag: "a"'], {}, 590],
  ['a day at most', ['Cache-Control: max-age=31536000'], {}, day],
  ['not at all when it is of no use any more', ['Cache-Control: max-age=5'], {}, 0],
])('an answer that is ten seconds old is kept %s', (_, answered, rules, seconds) =>
  expect(keptForMs(stored({ answered }), { ...silent, ...rules }, epoch + 10_000)).toBe(seconds * 1000),
)
