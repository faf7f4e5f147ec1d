// Addresses that fail too often, on a clock that the test holds.
import { expect, test } from 'vitest'
import { createScreening } from '../../gateway/state/screening.ts'
import { frozenClock } from '../ops/world.ts'

const failing = (times: number, address = '192.0.2.1', mostAddresses?: number) => {
  const clock = frozenClock()
  const screening = createScreening(clock, mostAddresses)
  for (let i = 0; i < times; i += 1) screening.failed(address, 'enforce')
  return { clock, screening, waitMs: (from = address) => screening.waitMs(from, 'enforce') }
}

test('fifty failures are forgiven, one more is waited for', () => {
  expect(failing(50).waitMs()).toBe(0)
  expect(failing(51).waitMs()).toBe(2_000)
})

test('a flood costs its address no more than a moment: what it goes on sending is not checked, so it is not counted', () => {
  const { clock, waitMs } = failing(10_000)
  expect(waitMs()).toBe(2_000)
  clock.advance(1_999)
  expect(waitMs()).toBe(1)
  clock.advance(1)
  expect(waitMs()).toBe(0)
})

test('an IPv6 client is known by its /64, however it is written; its neighbours are not', () => {
  const { waitMs } = failing(51, '2001:db8:0:1::a')
  expect(waitMs('2001:0DB8:0000:0001:ffff::b')).toBe(2_000)
  expect(waitMs('2001:db8:0:2::a')).toBe(0)
})

test('an IPv4 address is the same when it comes mapped into IPv6', () => {
  expect(failing(51, '192.0.2.7').waitMs('::ffff:192.0.2.7')).toBe(2_000)
})

test('what would only have been refused closes nothing', () => {
  const { screening } = failing(51)
  expect(screening.waitMs('192.0.2.1', 'report')).toBe(0)
})

test('its memory is bounded: who has not failed for the longest time is forgotten, and who is forgiven at once', () => {
  const { clock, screening } = failing(1, '192.0.2.1', 100)
  for (let i = 0; i < 1_000; i += 1) screening.failed(`198.51.100.${i % 250}:${i}`, 'enforce')
  expect(screening.size).toBe(100)
  clock.advance(102_000)
  screening.failed('192.0.2.9', 'enforce')
  expect(screening.size).toBe(1)
})
