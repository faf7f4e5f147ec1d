import { expect, test } from 'vitest'
import { createTrust, isPrivate, plainAddress } from '../../gateway/message/addresses.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'

const trust = createTrust(['10.0.0.0/8', '192.168.1.7', 'fd00::/8'])
const clientOf = (peer: string, ...forwardedFor: string[]) =>
  trust.clientOf(peer, fieldsOf(forwardedFor.flatMap((value) => ['X-Forwarded-For', value])))

test.each([
  ['an untrusted peer is the client whatever it claims', '203.0.113.9', ['1.1.1.1'], '203.0.113.9'],
  ['a trusted peer without a claim is the client', '10.1.1.1', [], '10.1.1.1'],
  ['the last untrusted hop counts, not the first', '10.1.1.1', ['6.6.6.6, 198.51.100.2, 10.2.2.2'], '198.51.100.2'],
  ['several lines are one list', '10.1.1.1', ['6.6.6.6', '198.51.100.2, 192.168.1.7'], '198.51.100.2'],
  ['ports are cut off', '10.1.1.1', ['198.51.100.2:4711'], '198.51.100.2'],
  ['IPv6 in brackets', 'fd00::1', ['[2001:db8::1]:443'], '2001:db8::1'],
  ['what is no address ends the belief', '10.1.1.1', ['1.2.3.4, unknown, 10.2.2.2'], '10.2.2.2'],
  ['all hops trusted: the farthest one', '10.1.1.1', ['10.3.3.3, 10.2.2.2'], '10.3.3.3'],
])('%s', (_, peer, claims, client) => {
  expect(clientOf(peer, ...claims)).toBe(client)
})

test('without trusted proxies nobody is trusted', () => {
  expect(createTrust([]).isTrusted('127.0.0.1')).toBe(false)
})

test('mapped addresses are plain ones and private ranges are known', () => {
  expect(plainAddress('::ffff:10.0.0.1')).toBe('10.0.0.1')
  expect(plainAddress('::1')).toBe('::1')
  expect(['10.0.0.1', '172.31.0.1', '::1', 'fd12::1', '8.8.8.8', 'not an address'].map(isPrivate)).toEqual([
    true,
    true,
    true,
    true,
    false,
    false,
  ])
})
