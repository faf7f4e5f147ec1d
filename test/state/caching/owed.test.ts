// Purges that nobody has taken yet are not forgotten, nor taken for settled by an earlier one.
import { expect, test } from 'vitest'
import { Owed } from '../../../gateway/state/caching/owed.ts'

test('what was added after the try to tell it is still owed when that ends well', () => {
  const owed = new Owed()
  const first = owed.add(['a', 'b'])
  owed.add(['b'])
  owed.settle(first)
  expect([owed.concerns(['a']), owed.concerns(['x', 'b']), owed.size]).toEqual([false, true, 1])
  owed.settle(owed.all())
  expect(owed.size).toBe(0)
})

test('a try that ends twice settles nothing that came between', () => {
  const owed = new Owed()
  const debt = owed.add(['a'])
  owed.settle(debt)
  owed.add(['a'])
  owed.settle(debt)
  expect(owed.concerns(['a'])).toBe(true)
})

test('too many become one that concerns everything', () => {
  const owed = new Owed()
  const first = owed.add(['first'])
  for (let i = 0; i < 10_000; i += 1) owed.add([`t${i}`])
  owed.settle(first)
  expect(owed.all().tags).toEqual(['all'])
  expect(owed.concerns(['all', 'r'])).toBe(true)
})
