// A token that is known: for how long, and at what cost.

import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { createCheckRoom } from '../../../gateway/state/tokens/checkRoom.ts'
import { audience, issuerName, makeKey, publish, tokenBy } from '../../journey/issuer.ts'
import { createWorld, settingsOf, why } from './world.ts'

async function startWith(more: Parameters<typeof settingsOf>[1] = {}) {
  const key = await makeKey('one')
  const { file } = await publish([key])
  const world = createWorld()
  world.tokens.follow([settingsOf({ from: 'file', file }, more)])
  return { key, ...world }
}

test('is checked once, and then until it runs out', async () => {
  const { key, tokens, check, advance, nowSeconds } = await startWith()
  const token = await tokenBy(key, { claims: { exp: nowSeconds + 60 } })
  expect(why(await check(token))).toBe('passed')
  // At once: nothing is computed that could be waited for.
  expect(tokens.check(token, { ask: false })).toMatchObject({ ok: true, identity: { subject: 'alice' } })
  advance(59_999)
  expect(why(await check(token))).toBe('passed')
  advance(1)
  expect(why(await check(token))).toBe('expired')
  expect(tokens.figures()).toEqual({ remembered: 0, signatures: 1 })
})

test('lasts as much longer as its issuer’s clock may differ', async () => {
  const { key, check, advance, nowSeconds } = await startWith({ clockToleranceMs: 30_000 })
  const token = await tokenBy(key, { claims: { exp: nowSeconds + 60 } })
  expect(why(await check(token))).toBe('passed')
  advance(89_999)
  expect(why(await check(token))).toBe('passed')
  advance(1)
  expect(why(await check(token))).toBe('expired')
})

test('sent by many at once is checked once', async () => {
  const { key, tokens, check } = await startWith()
  const token = await tokenBy(key)
  expect((await Promise.all(Array.from({ length: 50 }, () => check(token)))).map(why)).toEqual(Array(50).fill('passed'))
  expect(tokens.figures().signatures).toBe(1)
})

test('of two issuers is two clients, and neither is believed by the key of the other', async () => {
  const [one, two] = [await makeKey('k'), await makeKey('k')]
  const [first, second] = [await publish([one]), await publish([two])]
  const { tokens, check } = createWorld()
  tokens.follow([
    settingsOf({ from: 'file', file: first.file }),
    settingsOf({ from: 'file', file: second.file }, { issuer: 'https://second/' }),
  ])
  const mine = await check(await tokenBy(one))
  const his = await check(await tokenBy(two, { claims: { iss: 'https://second/' } }))
  expect([mine, his].map(why)).toEqual(['passed', 'passed'])
  expect([mine, his].map((known) => known.ok && known.identity.id)).toEqual([
    `jwt ${issuerName} alice`,
    'jwt https://second/ alice',
  ])
  expect(why(await check(await tokenBy(two)))).toBe('signature')
})

test('by a secret is taken where the file says so, and no public algorithm beside it', async () => {
  const secret = 'a secret of at least thirty-two bytes'
  const { tokens, check } = createWorld()
  tokens.follow([settingsOf({ from: 'secret', secret }, { algorithms: ['HS256'] })])
  const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: issuerName, aud: audience, sub: 'a', exp: Math.floor(Date.now() / 1000) + 60 }
  const signedBy = (key: string) => {
    const input = `${base64url({ alg: 'HS256' })}.${base64url(claims)}`
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
  }
  expect(why(await check(signedBy(secret)))).toBe('passed')
  expect(why(await check(signedBy('another secret of thirty-two bytes..')))).toBe('signature')
  expect(why(await check(await tokenBy(await makeKey('k'))))).toBe('algorithm')
})

test('of another type, subject or scope claim is read as the file says', async () => {
  const { key, check } = await startWith({ type: 'at+jwt', subject: 'uid', scopes: 'scp' })
  const claims = { uid: 'u1', scp: ['read', 7, 'write'] }
  expect(why(await check(await tokenBy(key, { claims })))).toBe('type')
  const known = await check(await tokenBy(key, { claims, header: { typ: 'at+jwt' } }))
  expect(known).toMatchObject({ ok: true, identity: { subject: 'u1', scopes: ['read', 'write'] } })
})

test('there is room for two checks at once and for some that wait; the rest is turned away at once', async () => {
  const room = createCheckRoom()
  let [running, most] = [0, 0]
  const ends: (() => void)[] = []
  const check = async () => {
    running += 1
    most = Math.max(most, running)
    await new Promise<void>((end) => ends.push(end))
    running -= 1
  }
  const all = Array.from({ length: 600 }, () => room.run(check))
  expect(all.filter((one) => one === undefined)).toHaveLength(600 - 2 - 512)
  while (ends.length > 0) {
    ends.shift()?.()
    await Promise.resolve()
    await new Promise(setImmediate)
  }
  await Promise.all(all)
  expect([running, most]).toEqual([0, 2])
  expect(await room.run(async () => 'again')).toBe('again')
})
