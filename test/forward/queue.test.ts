import { expect, test } from 'vitest'
import { Queue } from '../../gateway/forward/queue.ts'

function queueOf(most: number, ...waiters: [name: string, yields: boolean][]) {
  const queue = new Queue<string>()
  const dropped = waiters.map(([name, yields]) => queue.add(name, yields, most))
  const order: (string | undefined)[] = []
  while (queue.size > 0) order.push(queue.next())
  return { dropped, order }
}

test('who yields is served behind all others, each kind in the order it came', () => {
  const { order } = queueOf(9, ['y1', true], ['a', false], ['y2', true], ['b', false])
  expect(order).toEqual(['a', 'b', 'y1', 'y2'])
})

test('in a full queue the newest that yields gives its place up; without one, and to one that yields, nobody does', () => {
  const { dropped, order } = queueOf(3, ['y1', true], ['y2', true], ['a', false], ['y3', true], ['b', false])
  expect(dropped).toEqual([undefined, undefined, undefined, 'y3', 'y2'])
  expect(order).toEqual(['a', 'b', 'y1'])
  expect(queueOf(1, ['a', false], ['b', false]).dropped).toEqual([undefined, 'b'])
})

test('where none may wait nobody does, and a smaller number for the next one drops nobody who waits', () => {
  const queue = new Queue<string>()
  expect(queue.add('a', false, 0)).toBe('a')
  queue.add('b', false, 2)
  queue.add('c', false, 2)
  expect(queue.add('d', false, 1)).toBe('d')
  expect(queue.takeAll()).toEqual(['b', 'c'])
})

test('who leaves is not served, and all can be taken at once', () => {
  const queue = new Queue<string>()
  queue.add('y', true, 9)
  queue.add('a', false, 9)
  queue.add('b', false, 9)
  queue.delete('a')
  expect([queue.has('a'), queue.has('y')]).toEqual([false, true])
  expect(queue.takeAll()).toEqual(['b', 'y'])
  expect([queue.size, queue.next()]).toEqual([0, undefined])
})
