// By when an answer must have begun, by the route's word and the client's.
import { expect, test } from 'vitest'
import { deadline as kind } from '../../gateway/filters/deadline.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { Exchange, Filter } from '../../gateway/model.ts'
import { services } from '../config/world.ts'
import { reportOf, routeOf } from '../ops/world.ts'

/** When it must be there, and whose word that is. */
async function deadlineOf(values: readonly string[], deadline?: string) {
  const context = { route: routeOf('search'), isOnAnyRoute: () => false, problem: () => {}, warn: () => {} }
  const settings = { deadlineField: 'Request-Timeout', ...(deadline !== undefined && { deadline }) }
  const filter = kind.configure(settings, context)?.bind(services) as Filter
  const fields = fieldsOf(values.flatMap((value) => ['request-timeout', value]))
  const { exchange, answer } = reportOf({ exchange: { receivedAt: 1_000, fields } })
  let passed: Exchange | undefined
  await filter(exchange, async (asked) => {
    passed = asked
    return answer
  })
  return passed?.deadlineAt === undefined
    ? 'none'
    : `${passed.deadlineAt} ${passed.isClientsDeadline ? 'client' : 'route'}`
}

test.each([
  ['5', '6000 client'],
  ['0.25', '1250 client'],
  ['250ms', '1250 client'],
  ['2s', '3000 client'],
  ['0', 'none'],
  ['-1', 'none'],
  ['1e3', 'none'],
  ['5 s', 'none'],
  ['soon', 'none'],
  ['', 'none'],
])('a client that says "%s": %s', async (value, told) => {
  expect(await deadlineOf([value])).toBe(told)
})

test('it shortens what the route says, and never lengthens it; said twice or not at all it says nothing', async () => {
  expect(await deadlineOf(['1'], '2s')).toBe('2000 client')
  expect(await deadlineOf(['30'], '2s')).toBe('3000 route')
  expect(await deadlineOf(['1', '1'], '2s')).toBe('3000 route')
  expect(await deadlineOf([])).toBe('none')
})
