// The keys of an issuer: taken over, withdrawn, missing, and not to be had.
import { expect, test } from 'vitest'
import { makeKey, publish, tokenBy } from '../../journey/issuer.ts'
import { createWorld, settingsOf, startIssuer, until, why } from './world.ts'

test('a key that its issuer withdraws is good for nothing after the next refresh, for tokens that were remembered too', async () => {
  const [old, next] = [await makeKey('old'), await makeKey('next')]
  const issuer = await startIssuer(old, next)
  const world = createWorld()
  world.tokens.follow([settingsOf({ from: 'url', url: issuer.url }, { refreshMs: 30_000 })])
  const [byOld, byNext] = [await tokenBy(old), await tokenBy(next)]
  expect([why(await world.check(byOld)), why(await world.check(byNext))]).toEqual(['passed', 'passed'])
  issuer.keys = [next]
  expect(world.dueMs).toBe(30_000)
  world.runNext()
  await until(() => world.changes.some(({ withdrawn }) => withdrawn === 1))
  expect([why(await world.check(byOld)), why(await world.check(byNext))]).toEqual(['key', 'passed'])
  expect(world.tokens.figures().signatures).toBe(2)
})

test('a new key under the name of an old one takes its place', async () => {
  const [first, second] = [await makeKey('same'), await makeKey('same')]
  const issuer = await startIssuer(first)
  const world = createWorld()
  world.tokens.follow([settingsOf({ from: 'url', url: issuer.url })])
  const token = await tokenBy(first)
  expect(why(await world.check(token))).toBe('passed')
  issuer.keys = [second]
  world.runNext()
  await until(() => world.changes.some(({ withdrawn }) => withdrawn === 1))
  expect(why(await world.check(token))).toBe('signature')
  expect(why(await world.check(await tokenBy(second)))).toBe('passed')
})

test('an outage of the issuer is outlived by its last keys for lastGood, and then nobody is told that his token is bad', async () => {
  const key = await makeKey('one')
  const issuer = await startIssuer(key)
  const world = createWorld()
  world.tokens.follow([settingsOf({ from: 'url', url: issuer.url }, { lastGoodMs: 3_600_000 })])
  const [token, other] = [await tokenBy(key, { expiresIn: 100_000 }), await tokenBy(key, { expiresIn: 90_000 })]
  expect(why(await world.check(token))).toBe('passed')
  issuer.keys = undefined
  world.advance(300_000)
  world.runNext()
  await until(() => world.changes.at(-1)?.trouble !== undefined)
  expect(world.changes.at(-1)?.trouble).toBe('it answered 503')
  world.advance(3_599_999)
  expect([why(await world.check(token)), why(await world.check(other))]).toEqual(['passed', 'passed'])
  world.advance(1)
  expect([why(await world.check(token)), why(await world.check(other))]).toEqual(['unavailable', 'unavailable'])
  expect(world.tokens.views()[0]).toMatchObject({ isTrusted: false, trouble: 'it answered 503' })
  issuer.keys = [key]
  await until(() => {
    world.runNext()
    return world.tokens.views()[0]?.isTrusted ?? false
  })
  expect(why(await world.check(token))).toBe('passed')
})

test('keys that are not there yet are waited for, and an issuer that never gave any is no fault of the token', async () => {
  const key = await makeKey('one')
  const issuer = await startIssuer(key)
  const world = createWorld()
  world.tokens.follow([settingsOf({ from: 'url', url: issuer.url })])
  expect(why(await world.check(await tokenBy(key)))).toBe('passed')
  const dark = createWorld()
  issuer.keys = undefined
  dark.tokens.follow([settingsOf({ from: 'url', url: issuer.url })])
  expect(why(await dark.check(await tokenBy(key)))).toBe('unavailable')
})

test('a token by a key that was just published has the issuer asked, at once and once', async () => {
  const [old, next] = [await makeKey('old'), await makeKey('next')]
  const issuer = await startIssuer(old)
  const world = createWorld()
  world.tokens.follow([settingsOf({ from: 'url', url: issuer.url })])
  expect(why(await world.check(await tokenBy(old)))).toBe('passed')
  world.advance(20_000)
  issuer.keys = [old, next]
  const tokens = await Promise.all([1, 2, 3, 4].map((i) => tokenBy(next, { claims: { jti: String(i) } })))
  const checks = await Promise.all(tokens.map(world.check))
  expect(checks.map(why)).toEqual(['passed', 'passed', 'passed', 'passed'])
  expect(issuer.asked).toBe(2)
})

test('made-up key ids have the issuer asked once in ten seconds, and the same one once in a minute', async () => {
  const [key, stranger] = [await makeKey('one'), await makeKey('no')]
  const issuer = await startIssuer(key)
  const world = createWorld()
  world.tokens.follow([settingsOf({ from: 'url', url: issuer.url })])
  expect(why(await world.check(await tokenBy(key)))).toBe('passed')
  const tokens = await Promise.all(
    Array.from({ length: 30 }, (_, i) => tokenBy(stranger, { header: { kid: `made-up-${i}` } })),
  )
  world.advance(10_000)
  // At once, and then one after another.
  expect(new Set((await Promise.all(tokens.map(world.check))).map(why))).toEqual(new Set(['key']))
  for (const token of tokens) expect(why(await world.check(token))).toBe('key')
  expect(issuer.asked).toBe(2)
  const [first = ''] = tokens
  for (let i = 0; i < 5; i += 1) {
    world.advance(10_000)
    expect(why(await world.check(first))).toBe('key')
  }
  expect(issuer.asked).toBe(2)
  world.advance(10_000)
  expect(why(await world.check(first))).toBe('key')
  expect(issuer.asked).toBe(3)
})

test('what is no key set, leads elsewhere or never ends leaves the last keys as they are', async () => {
  const key = await makeKey('one')
  const issuer = await startIssuer(key)
  const world = createWorld()
  world.tokens.follow([settingsOf({ from: 'url', url: issuer.url })])
  const token = await tokenBy(key)
  expect(why(await world.check(token))).toBe('passed')
  const isInTrouble = () => world.tokens.views()[0]?.trouble !== undefined
  for (const text of [
    '{"keys":',
    '[]',
    '{"keys":{}}',
    'null',
    'elsewhere',
    `{"keys":[],"x":"${'x'.repeat(1_100_000)}"}`,
  ]) {
    issuer.text = text
    await until(() => {
      world.runNext()
      return isInTrouble()
    })
    const fresh = await tokenBy(key, { expiresIn: 80_000, claims: { jti: text.slice(0, 9) } })
    expect(why(await world.check(fresh))).toBe('passed')
    issuer.text = ''
    await until(() => {
      world.runNext()
      return !isInTrouble()
    })
  }
})

test('a file is followed: its new keys count as soon as it has them', async () => {
  const [old, next] = [await makeKey('old'), await makeKey('next')]
  const { file, publish: write, replace } = await publish([old])
  const world = createWorld()
  world.tokens.follow([settingsOf({ from: 'file', file })])
  const token = await tokenBy(old)
  expect(why(await world.check(token))).toBe('passed')
  await write([next])
  await until(() => world.changes.some(({ withdrawn }) => withdrawn === 1))
  expect([why(await world.check(token)), why(await world.check(await tokenBy(next)))]).toEqual(['key', 'passed'])
  await replace('{')
  await until(() => world.changes.at(-1)?.trouble !== undefined)
  expect(why(await world.check(await tokenBy(next, { claims: { jti: 'x' } })))).toBe('passed')
})

test('an edit of another key of the issuer keeps its keys, and what was found true is found anew', async () => {
  const key = await makeKey('one')
  const issuer = await startIssuer(key)
  const world = createWorld()
  const settings = settingsOf({ from: 'url', url: issuer.url })
  world.tokens.follow([settings])
  const token = await tokenBy(key)
  expect(why(await world.check(token))).toBe('passed')
  issuer.keys = undefined
  world.tokens.follow([structuredClone(settings)])
  world.tokens.follow([{ ...settings, lastGoodMs: 1_000 }])
  expect(why(await world.check(token))).toBe('passed')
  world.tokens.follow([{ ...settings, audience: ['somebody else'] }])
  expect(why(await world.check(token))).toBe('audience')
  world.tokens.follow([])
  expect(why(await world.check(token))).toBe('issuer')
  expect(issuer.asked).toBe(1)
})
