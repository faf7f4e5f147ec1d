// What a client that is known is known for: its side of a move, and its stock.
import { expect, test } from 'vitest'
import { ask, counting, startCounted } from './caching.ts'
import { bearer, guardingYaml, makeKey, publish, startGuarding, tokenBy } from './issuer.ts'
import { startBetween } from './sides.ts'

test('a claim tells clients apart: each stays at its side whatever token it has, and the share is theirs', async () => {
  const key = await makeKey('one')
  const { file } = await publish([key])
  const [old, candidate] = [await startCounted(counting({})), await startCounted(counting({}))]
  const gateway = await startBetween(
    guardingYaml({
      url: old.url,
      jwks: file,
      routes: `  - name: moving
    match: { path: /moving, methods: [GET] }
    auth: { any: [jwt] }
    move: { to: candidate, stage: canary, share: 50%, stickyBy: { claim: sub } }`,
    }).replace('upstreams: {', `upstreams: { candidate: { url: "${candidate.url}" },`),
  )
  const sideOf = async (sub: string, jti: string) => {
    const before = candidate.asked.length
    const { status } = await ask(`${gateway.url}/moving`, bearer(await tokenBy(key, { claims: { sub, jti } })))
    expect(status).toBe(200)
    return candidate.asked.length > before ? 'new' : 'old'
  }
  const sides = new Map<string, string>()
  for (let i = 0; i < 24; i += 1) sides.set(`client${i}`, await sideOf(`client${i}`, 'first'))
  expect(new Set(sides.values())).toEqual(new Set(['old', 'new']))
  for (const [client, side] of sides) expect(await sideOf(client, 'second')).toBe(side)
})

test('a stock per identity is found again with a fresh token, by nobody else, and by nobody without one', async () => {
  const key = await makeKey('one')
  const { file } = await publish([key])
  const origin = await startCounted(counting({ 'Cache-Control': 'max-age=100' }))
  const gateway = await startGuarding({
    url: origin.url,
    jwks: file,
    top: 'sessionCookie: SESSION',
    auth: '{ any: [jwt] }, cache: { per: identity }',
  })
  const told = async (sub: string, jti: string) =>
    (await ask(`${gateway.url}/mine/x`, bearer(await tokenBy(key, { claims: { sub, jti } })))).text
  expect(await told('alice', '1')).toBe('answer 1')
  expect(await told('alice', '2')).toBe('answer 1')
  expect(await told('bob', '3')).toBe('answer 2')
  expect((await ask(`${gateway.url}/mine/x`)).status).toBe(401)
  expect((await ask(`${gateway.url}/mine/x`, bearer('x.y.z'))).status).toBe(401)
  expect(origin.asked).toHaveLength(2)
})
