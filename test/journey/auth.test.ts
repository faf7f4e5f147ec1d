// Who may use a route: with a token of an issuer, and without.
import { expect, test } from 'vitest'
import { ask, counting, startCounted } from './caching.ts'
import { authMetric, bearer, makeKey, publish, startGuarding, tokenBy } from './issuer.ts'

test('a token of an issuer opens a route, goes on as it came, and costs one signature check however often it comes', async () => {
  const key = await makeKey('one')
  const origin = await startCounted(counting({}))
  const { file } = await publish([key])
  const gateway = await startGuarding({ url: origin.url, jwks: file })
  const token = await tokenBy(key)
  for (let i = 0; i < 3; i += 1) expect((await ask(`${gateway.url}/mine/x`, bearer(token))).status).toBe(200)
  expect(origin.asked[2]?.headers.authorization).toBe(`Bearer ${token}`)
  expect(await gateway.metric('banyan_token_signature_checks_total')).toBe(1)
  expect(await authMetric(gateway, 'jwt', 'passed')).toBe(3)
})

test('without one it is 401 with a challenge (RFC 6750 §3), and the upstream is not asked', async () => {
  const origin = await startCounted(counting({}))
  const { file } = await publish([await makeKey('one')])
  const gateway = await startGuarding({ url: origin.url, jwks: file })
  const { status, fields, text } = await ask(`${gateway.url}/mine/x`)
  expect(status).toBe(401)
  expect(fields['www-authenticate']).toBe('Bearer realm="api"')
  expect(fields['content-type']).toBe('application/problem+json')
  expect(JSON.parse(text)).toMatchObject({ status: 401, code: 'unauthenticated' })
  expect(origin.asked).toEqual([])
  expect(await authMetric(gateway, 'none', 'missing')).toBe(1)
})
