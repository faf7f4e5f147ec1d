import { expect, test } from 'vitest'
import { fieldsOf, namesOf, withField, without } from '../../gateway/message/fields.ts'

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
  expect(without(fields, namesOf(['set-cookie']))).toEqual(['Host', 'a', 'X-A', ''])
})
