// Whose request it is once somebody has proved it.
import { expect, test } from 'vitest'
import { audienceOf } from '../../gateway/caching/audience.ts'
import type { Identity } from '../../gateway/model.ts'
import { fields } from './world.ts'

const own = { isPerIdentity: true, sessionCookie: 'SESSION' }
const shared = { isPerIdentity: false, sessionCookie: 'SESSION' }

const byToken = (claims: Readonly<Record<string, unknown>>): Identity => ({
  kind: 'jwt',
  id: 'jwt https://issuer alice',
  subject: 'alice',
  scopes: [],
  claims: { sub: 'alice', ...claims },
})
const byKey: Identity = { kind: 'apiKey', id: 'apiKey byn_live_1', subject: 'alice', scopes: [], keyId: 'byn_live_1' }
const partition = (identity: Identity | undefined, ...lines: string[]) =>
  audienceOf({ fields: fields(...lines), ...(identity && { identity }) }, own).partition

test('a fresh token of the same client finds its stock, one that says something else of him does not', () => {
  const first = partition(byToken({ exp: 1, jti: 'a' }), 'Authorization: Bearer a')
  expect(partition(byToken({ jti: 'b', exp: 2 }), 'Authorization: Bearer b')).toBe(first)
  expect(partition(byToken({ exp: 1, jti: 'a', tenant: 'other' }), 'Authorization: Bearer a')).not.toBe(first)
  expect(partition(undefined, 'Authorization: Bearer a')).not.toBe(first)
})

test('who shows something else beside it is somebody else: the upstream may go by that', () => {
  const token = byToken({})
  const alone = partition(token, 'Authorization: Bearer a')
  expect(partition(token, 'Authorization: Bearer a', 'Cookie: SESSION=bob')).not.toBe(alone)
  expect(partition(token, 'Authorization: Bearer a', 'X-Api-Key: k')).not.toBe(alone)
  expect(partition(token, 'Authorization: Bearer a', 'Cookie: theme=dark')).toBe(alone)
})

test('who came by a key that was taken off the request is known all the same: what is given him is not for all', () => {
  expect(audienceOf({ fields: fields(), identity: byKey }, shared)).toEqual({ isKnown: true, partition: '' })
  expect(partition(byKey)).not.toBe(partition(undefined))
})

test('no value of one client passes for several of another', () => {
  const several = partition(undefined, 'Authorization: a', 'X-Api-Key: b')
  const one = ['ax-api-keyb', 'a9:x-api-key1:b', 'a', 'ab'].map((value) =>
    partition(undefined, `Authorization: ${value}`),
  )
  expect(new Set([several, ...one]).size).toBe(5)
})

test('of thousands of clients each has his own, again and again, however long what he shows', () => {
  const keys = Array.from({ length: 3_000 }, (_, n) => `${'x'.repeat(n % 3 === 0 ? 5_000 : 5)}${n}`)
  const all = () => keys.map((key) => partition(undefined, `X-Api-Key: ${key}`))
  const first = all()
  expect(new Set(first).size).toBe(3_000)
  expect(all()).toEqual(first)
})
