// Whose budgets a request is charged to, and how much.
import { expect, test } from 'vitest'
import { chargesOf, type Per, type Rule, type Window } from '../../gateway/limiting/rules.ts'
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { Exchange, Identity } from '../../gateway/model.ts'
import { reportOf, routeOf } from '../ops/world.ts'

const windowOf = (text: string, perMs = 1): Window => ({
  text,
  budget: { most: Number.parseInt(text, 10), perMs },
  amount: Number.parseInt(text, 10),
  seconds: 60,
})

function ruleOf(per: Per): Rule {
  const windows = [windowOf('100/min'), windowOf('5000 daily', 0)]
  return { per, windows, reserve: 7, hitCost: 0, isDry: false, onStoreLoss: 'open', windowOf: (rate) => windowOf(rate) }
}

const someone: Identity = { kind: 'jwt', id: 'jwt https://issuer.example ann', subject: 'ann', scopes: [] }
const holder: Identity = { kind: 'apiKey', id: 'key k1', subject: 'shop', scopes: [], keyId: 'k1' }

/** The keys of what it is charged to, by a rule of that kind. */
function keysOf(per: Per, exchange: Partial<Exchange> = {}): string[] {
  return chargesOf([ruleOf(per)], reportOf({ route: routeOf('search'), exchange }).exchange).map(({ key }) => key)
}

const at = (address: string): Partial<Exchange> => ({
  client: { address, peer: '127.0.0.1', peerTrusted: true, tls: false },
})

test('each window of a rule is a charge of what is reserved, under the name of its route', () => {
  const charges = chargesOf([ruleOf('route')], reportOf({ route: routeOf('search') }).exchange)
  expect(charges.map(({ key, cost, budget, onStoreLoss }) => [key, cost, budget.most, onStoreLoss])).toEqual([
    ['search route 100/min all', 7, 100, 'open'],
    ['search route 5000 daily all', 7, 5000, 'open'],
  ])
})

test.each(['identity', 'key', { field: 'X-Tenant' }] as const)('who has no %j is known by his address', (per) => {
  expect(keysOf(per, at('192.0.2.1'))[0]).toMatch(/ address 192\.0\.2\.1$/)
  expect(keysOf(per, at('2001:db8::1'))).toEqual(keysOf(per, at('2001:db8::2')))
  expect(keysOf(per, at('2001:db8::1'))).not.toEqual(keysOf(per, at('2001:db8:0:1::1')))
})

test('an identity has one budget wherever it comes from, and its name is in no key', () => {
  const keys = keysOf('identity', { identity: someone, ...at('192.0.2.1') })
  expect(keysOf('identity', { identity: someone, ...at('192.0.2.2') })).toEqual(keys)
  expect(keysOf('identity', { identity: { ...someone, id: 'another' } })).not.toEqual(keys)
  expect(keys.join()).not.toMatch(/ann|issuer/)
})

test('a limit by address does not ask who somebody is', () => {
  expect(keysOf('address', { identity: someone, ...at('192.0.2.1') })).toEqual(keysOf('address', at('192.0.2.1')))
})

test('a successor of a key draws on the budget of the one before it, and who has none is known by his identity', () => {
  expect(keysOf('key', { identity: { ...holder, keyId: 'k2' } })).toEqual(keysOf('key', { identity: holder }))
  expect(keysOf('key', { identity: { ...holder, id: 'key k3' } })).not.toEqual(keysOf('key', { identity: holder }))
  expect(keysOf('key', { identity: someone })[0]).toMatch(/^search key 100\/min identity /)
})

test('the rate that a key has of its own stands in for the rule’s, where the rule is by key, and the quota stays', () => {
  const rich = { ...holder, rate: '900/min' }
  expect(keysOf('key', { identity: rich })).toEqual([
    expect.stringMatching(/^search key 900\/min identity /),
    expect.stringMatching(/^search key 5000 daily identity /),
  ])
  expect(keysOf('identity', { identity: rich })[0]).toMatch(/^search identity 100\/min /)
})

test('a value of a field is nobody’s address and no secret in a key', () => {
  const tenant = (value: string) => keysOf({ field: 'X-Tenant' }, { fields: fieldsOf(['x-tenant', value]) })[0]
  expect(tenant('address 192.0.2.1')).not.toContain('192.0.2.1')
  expect(tenant('a')).not.toBe(tenant('b'))
  expect(tenant('')).toMatch(/ address /)
})
