// Which differences of two JSON bodies are seen, where, and which are none.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isSameNumber } from '../../gateway/comparing/json.ts'
import { type Json, JsonObject, readJson } from '../../gateway/comparing/jsonValue.ts'
import { compareJson, differencesOf } from './answers.ts'

describe('by body', () => {
  test.each([
    ['{"a":1,"b":[true,null]}', '{ "b": [true, null],\n "a": 1.0 }'],
    ['{"a":0.30000000000000004}', '{"a":0.3}'],
    ['{"a":-0,"b":1e2,"c":100.0}', '{"a":0,"b":100,"c":1E+2}'],
    ['"\\u00e9\\/"', '"é/"'],
    ['{"":{"__proto__":1,"constructor":2}}', '{"":{"constructor":2,"__proto__":1}}'],
    ['[]', ' [ ] '],
  ])('%s and %s are the same', (old, candidate) => {
    expect(compareJson(old, candidate)).toMatchObject({ same: true, isBodyCompared: true, ignored: 0, more: 0 })
  })

  test.each([
    ['{"a":1}', '{"a":2}', ['value $.a x1']],
    ['{"a":1000000001}', '{"a":1000000002}', ['value $.a x1']],
    ['{"id":9007199254740993}', '{"id":9007199254740992}', ['value $.id x1']],
    ['{"id":1}', '{"id":"1"}', ['type $.id x1']],
    ['{"id":1}', '{"id":null}', ['type $.id x1']],
    ['{"a":{}}', '{"a":[]}', ['type $.a x1']],
    ['{"a":1,"b":2}', '{"b":2,"c":3}', ['missing $.a x1', 'extra $.c x1']],
    ['{"a":1}', '{"a":2,"a":1}', ['extra $.a x1']],
    ['{"a":1,"a":1}', '{"a":1}', ['missing $.a x1']],
    ['{"__proto__":{"x":1}}', '{"__proto__":{"x":2}}', ['value $.__proto__.x x1']],
    ['{"a":{}}', '{"a":{},"__proto__":1}', ['extra $.__proto__ x1']],
    ['[{"p":1},{"p":2},{"p":3}]', '[{"p":1},{"p":5},{"p":6}]', ['value $[*].p @ $[1].p x2']],
    ['{"items":[1,2,3]}', '{"items":[3,1,2]}', ['order $.items x1']],
    ['{"items":[1,1,2]}', '{"items":[1,2,2]}', ['value $.items[*] @ $.items[1] x1']],
    ['{"items":[1,2,3]}', '{"items":[1,3]}', ['length $.items x1']],
    ['{"items":[1,2]}', '{"items":[1,2,3]}', ['length $.items x1']],
    ['{"odd key":1,"a.b":1}', '{"odd key":2,"a.b":2}', ['value $["odd key"] x1', 'value $["a.b"] x1']],
  ])('%s and %s differ', (old, candidate, expected) => {
    const comparison = compareJson(old, candidate)
    expect(differencesOf(comparison)).toEqual(expected)
    expect(comparison.same).toBe(false)
  })

  test('in a reordered list each element is set against its own, and the one changed value is seen', () => {
    const old = '[{"id":1,"p":5,"at":10},{"id":2,"p":5,"at":11},{"id":3,"p":5,"at":12}]'
    const candidate = '[{"id":3,"p":5,"at":92},{"id":1,"p":7,"at":90},{"id":2,"p":5,"at":91}]'
    expect(differencesOf(compareJson(old, candidate))).toEqual([
      'order $ x1',
      'value $[*].p @ $[0].p x1',
      'value $[*].at @ $[0].at x3',
    ])
  })

  test('of a list that lost an element the others are not reported', () => {
    const old = '[{"id":"a","at":1},{"id":"b","at":2},{"id":"c","at":3}]'
    expect(differencesOf(compareJson(old, '[{"id":"b","at":2},{"id":"c","at":4}]'))).toEqual([
      'length $ x1',
      'value $[*].at @ $[2].at x1',
    ])
  })

  test('what is ignored is counted, at any depth, and below it', () => {
    const ignore = ['$.tookMs', '$.items[*].id', '$..updatedAt', '$.meta']
    const old = '{"tookMs":1,"items":[{"id":1,"p":1},{"id":2,"p":2}],"x":{"y":{"updatedAt":1}},"meta":{"a":{"b":1}}}'
    const candidate =
      '{"tookMs":2,"items":[{"id":4,"p":2},{"id":3,"p":1}],"x":{"y":{"updatedAt":2}},"meta":{"a":{"b":2}}}'
    const comparison = compareJson(old, candidate, { ignore })
    expect(differencesOf(comparison)).toEqual(['order $.items x1'])
    expect(comparison.ignored).toBe(5)
    expect(compareJson(old, old, { ignore })).toMatchObject({ same: true, ignored: 0 })
  })

  test('what is ignored does not make a list that is reordered look like a changed one', () => {
    const old = '[{"n":1,"t":1},{"n":1,"t":2},{"n":2,"t":3}]'
    const comparison = compareJson(old, '[{"n":2,"t":4},{"n":1,"t":5},{"n":1,"t":6}]', { ignore: ['$[*].t'] })
    expect(differencesOf(comparison)).toEqual(['order $ x1'])
    expect(comparison.ignored).toBe(3)
  })

  test('where the order does not matter it is none, and changed elements still are', () => {
    const unordered = ['$.tags', '$.sets[*]']
    expect(compareJson('{"tags":["a","b"]}', '{"tags":["b","a"]}', { unordered }).same).toBe(true)
    expect(compareJson('{"sets":[[1,2],[3,4]]}', '{"sets":[[2,1],[4,3]]}', { unordered }).same).toBe(true)
    expect(differencesOf(compareJson('{"sets":[[1,2],[3,4]]}', '{"sets":[[4,3],[2,1]]}', { unordered }))).toEqual([
      'order $.sets x1',
    ])
    expect(differencesOf(compareJson('{"tags":["a","b"]}', '{"tags":["b","c"]}', { unordered }))).toEqual([
      'value $.tags[*] @ $.tags[0] x1',
    ])
  })

  test('a body of another kind is a difference of the whole', () => {
    expect(differencesOf(compareJson('{"a":1}', 'no JSON'))).toEqual(['type body x1'])
    expect(differencesOf(compareJson('{"a":1}', ''))).toEqual(['missing body x1'])
  })

  test('keys that are values of their own are not shown, and lead to one path', () => {
    const keys = [
      '7d444840-9dc0-11d1-b245-5ffdce74fad2',
      'ann@example.com',
      '2024-05-01',
      '17',
      'Xk29aQw81mZp44Lr',
      'deadbeefdeadbeef',
    ]
    const body = (value: number) => JSON.stringify(Object.fromEntries(keys.map((key) => [key, { n: value }])))
    const { differences } = compareJson(body(1), body(2))
    expect(differences).toMatchObject([{ path: '$.*.n', count: keys.length }])
    expect(keys.filter((key) => JSON.stringify(differences).includes(key))).toEqual([])
  })
})

test.each([
  ['{"a":1,"b":"x"}', '{"a":2,"b":"y"}', []],
  ['{"a":1}', '{"a":"1"}', ['type $.a x1']],
  ['{"a":1}', '{}', ['missing $.a x1']],
  ['[1,2,3]', '[9]', []],
  ['[1]', '[]', ['length $ x1']],
  ['[{"a":1},{"b":1}]', '[{"b":5},{"a":2},{"a":3}]', []],
  ['[{"a":1},{"a":1}]', '[{"a":1},{"a":null}]', ['type $[*].a @ $[1].a x1']],
])('by shape %s and %s differ in %j', (old, candidate, expected) => {
  expect(differencesOf(compareJson(old, candidate, { by: 'shape' }))).toEqual(expected)
})

test('whole numbers are the same or not; others within what rounding does', () => {
  expect(isSameNumber(12345678901234567890n, 12345678901234567891n)).toBe(false)
  expect(isSameNumber(0.1 + 0.2, 0.3)).toBe(true)
  expect(isSameNumber(19.99, 19.991)).toBe(false)
  expect(isSameNumber(1e300, 1.0000000000001e300)).toBe(true)
  expect(isSameNumber(0.000001, 0)).toBe(false)
})

test('what is read is what JSON.parse reads', () => {
  const plain = (value: Json): unknown => {
    if (value instanceof JsonObject) return Object.fromEntries([...value.members].map(([key, of]) => [key, plain(of)]))
    return Array.isArray(value) ? value.map(plain) : typeof value === 'bigint' ? Number(value) : value
  }
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (json, space) => {
      const text = JSON.stringify(JSON.parse(json), null, space)
      expect(plain(readJson(text) as Json)).toEqual(JSON.parse(text))
    }),
  )
})

test('any value is the same as itself, written in another way, and not the same as with one more key', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse())
      expect(compareJson(JSON.stringify(value), JSON.stringify(reversed, null, 2)).differences).toEqual([])
      const { differences } = compareJson(JSON.stringify(value), JSON.stringify({ ...value, '\u0001': 1 }))
      expect(differences.map(({ kind }) => kind)).toEqual('\u0001' in value ? [] : ['extra'])
    }),
  )
})
