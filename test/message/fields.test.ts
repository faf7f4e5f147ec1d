import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  fieldsOf,
  linesOf,
  namesOf,
  withField,
  withFieldLines,
  withMore,
  without,
} from '../../gateway/message/fields.ts'
import { parseFieldLines } from '../../gateway/message/grammar.ts'
import { endToEnd } from '../../gateway/message/hopByHop.ts'
import type { Fields } from '../../gateway/model.ts'

const fields = fieldsOf(['Host', 'a', 'SET-cookie', 'x=1', 'Set-Cookie', 'y=2', 'X-A', ''])

test('a field is found in any case and the raw list stays as received', () => {
  expect(fields.get('host')).toBe('a')
  expect(fields.all('Set-Cookie')).toEqual(['x=1', 'y=2'])
  expect(fields.get('x-a')).toBe('')
  expect(fields.has('X-B')).toBe(false)
  expect(fields.raw).toEqual(['Host', 'a', 'SET-cookie', 'x=1', 'Set-Cookie', 'y=2', 'X-A', ''])
})

test('setting a field replaces the first one in its place and drops the others', () => {
  expect(withField(fields, 'set-cookie', 'z').raw).toEqual(['Host', 'a', 'SET-cookie', 'z', 'X-A', ''])
  expect(withField(fields, 'New', '1').raw.slice(-2)).toEqual(['New', '1'])
})

test('removing fields keeps the order of the rest', () => {
  expect(without(fields, namesOf(['set-cookie'])).raw).toEqual(['Host', 'a', 'X-A', ''])
})

const name = fc.constantFrom('Host', 'Connection', 'TE', 'X-A', 'x-a', 'Upgrade', 'Via', 'Keep-Alive')
const value = fc.constantFrom('', 'a', 'X-A', 'x-a, close', 'trailers', 'gzip, trailers', 'two  blanks', '\xe9')
const line = fc.tuple(name, fc.constantFrom(':', ': ', ':\t', ':  '), value, fc.constantFrom('', ' ', '\t'))
const change = fc.oneof(
  fc.array(name).map((names) => (fields: Fields) => without(fields, namesOf(names))),
  fc.array(fc.tuple(name, value)).map((more) => (fields: Fields) => withMore(fields, more.flat())),
  fc.tuple(name, value).map(
    ([one, said]) =>
      (fields: Fields) =>
        withField(fields, one, said),
  ),
  fc.constant(endToEnd),
)

test('whatever is received and changed, its lines say what its list says', () => {
  const sayTheSame = (lines: readonly (readonly string[])[], changes: readonly ((fields: Fields) => Fields)[]) => {
    const text = lines.map((parts) => `${parts.join('')}\r\n`).join('')
    const received = parseFieldLines(Buffer.from(`${text}\r\nmore`, 'latin1'), 0, 100)?.fields
    let fields = received as Fields
    for (const next of [(same: Fields) => same, ...changes]) {
      fields = next(fields)
      expect(linesOf(fields)).toBe(withFieldLines('', fields.raw))
    }
  }
  fc.assert(fc.property(fc.array(line, { maxLength: 8 }), fc.array(change, { maxLength: 4 }), sayTheSame), {
    numRuns: 2_000,
  })
})
