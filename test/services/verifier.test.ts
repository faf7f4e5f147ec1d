// A service that believes nobody without a token: whom it answers, and what becomes of that while issuers change or are away.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { base64url, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { clockToleranceMs, lastGoodMs, readTrust, refreshMs } from '../../services/kit/verifier.ts'
import { startSearch } from '../../services/search/search.ts'
import { keySetOf, makeKey, type SigningKey } from '../journey/issuer.ts'

const gatewayKey = await makeKey('g1')
const loginKey = await makeKey('l1', 'RS256')

const closing: (() => unknown)[] = []
afterEach(async () => {
  vi.useRealTimers()
  for (const close of closing.splice(0).reverse()) await close()
})

interface Issuer {
  readonly jwks: string
  /** How often it was asked. */
  asked: number
  gives: readonly SigningKey[] | 'nothing' | 'nonsense'
}

async function startIssuer(gives: Issuer['gives']): Promise<Issuer> {
  const server: Server = createServer((_, response) => {
    issuer.asked += 1
    if (issuer.gives === 'nothing') response.writeHead(500).end()
    else response.end(issuer.gives === 'nonsense' ? '<html>' : keySetOf(issuer.gives))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  const issuer: Issuer = { jwks: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`, asked: 0, gives }
  return issuer
}

let gateway: Issuer
let login: Issuer
let url: string
beforeEach(async () => {
  gateway = await startIssuer([gatewayKey])
  login = await startIssuer([loginKey])
})

async function start(): Promise<void> {
  const trust = readTrust(`banyan=${gateway.jwks},https://login.test/=${login.jwks}`, 'search')
  const search = await startSearch({ port: 0, trust })
  closing.push(search.stop)
  url = search.url
}

interface Saying {
  readonly key?: SigningKey
  readonly header?: object
  readonly claims?: Readonly<Record<string, unknown>>
}

/** One of the gateway's, but for what is said. */
function tokenBy({ key = gatewayKey, header = {}, claims = {} }: Saying = {}): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000)
  return new SignJWT({ iss: 'banyan', aud: 'search', exp: nowSeconds + 300, ...claims })
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'JWT', ...header })
    .sign(key.privateKey)
}

const told = (token: string) => ({ 'Banyan-Token': token })

async function ask(headers: Record<string, string> = {}, path = '/api/search?q=tea') {
  const answer = await fetch(`${url}${path}`, { headers })
  return { status: answer.status, fields: answer.headers, body: (await answer.json()) as { error?: string } }
}

/** From then on it goes by as a test says. */
const holdTime = () =>
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setInterval', 'clearInterval'], now: Date.now() })

const statusOf = async (token: string) => (await ask(told(token))).status

describe('a service that trusts two issuers', () => {
  test('answers who shows a token of one of them, in either field', async () => {
    await start()
    expect(await ask(told(await tokenBy()))).toMatchObject({ status: 200, body: { total: expect.any(Number) } })
    const direct = await tokenBy({ key: loginKey, claims: { iss: 'https://login.test/', aud: ['other', 'search'] } })
    expect((await ask({ Authorization: `Bearer ${direct}` })).status).toBe(200)
    // Whoever comes through the gateway is who the gateway says, whatever he brings beside it.
    expect((await ask({ ...told('forged'), Authorization: `Bearer ${direct}` })).status).toBe(401)
  })

  test('refuses who shows none, on every path of the site, and says how to do better', async () => {
    await start()
    for (const path of ['/api/search?q=tea', '/api/search', '/nothing/here']) {
      const { status, fields, body } = await ask({}, path)
      expect([path, status, body]).toEqual([path, 401, { error: 'there is no token' }])
      expect(fields.get('www-authenticate')).toBe('Bearer')
      expect(fields.get('content-type')).toBe('application/json; charset=utf-8')
    }
    expect((await ask({ Authorization: 'Basic dXNlcjpwYXNz' })).status).toBe(401)
    expect(gateway.asked + login.asked).toBe(0)
  })

  test('tells anybody whether it is well', async () => {
    await start()
    expect((await ask({}, '/healthz')).status).toBe(200)
  })

  const inThePast = Math.floor((Date.now() - clockToleranceMs) / 1000) - 1
  test.each<[string, Saying, string]>([
    ['has run out', { claims: { exp: inThePast } }, '"exp" claim timestamp check failed'],
    ['never runs out', { claims: { exp: undefined } }, 'missing required "exp" claim'],
    ['is not good yet', { claims: { nbf: inThePast + 600 } }, '"nbf" claim timestamp check failed'],
    ['is for another service', { claims: { aud: 'ai' } }, 'unexpected "aud" claim value'],
    ['is for nobody', { claims: { aud: undefined } }, 'missing required "aud" claim'],
    ['is of an issuer that nobody trusts', { claims: { iss: 'https://evil.test/' } }, 'its issuer is not trusted here'],
    ['says no issuer', { claims: { iss: undefined } }, 'its issuer is not trusted here'],
    ['one issuer signs in the name of the other', { claims: { iss: 'https://login.test/' } }, 'no applicable key'],
    ['has a key of no name', { header: { kid: 'made up' } }, 'no applicable key'],
    ['names an extension that must be understood', { header: { crit: ['x'], x: 1 } }, ''],
  ])('refuses a token that %s', async (_what, saying, why) => {
    await start()
    const { header = {}, ...rest } = saying
    const crit = 'crit' in header
    const token = crit ? await criticalToken() : await tokenBy({ ...rest, header })
    const { status, fields, body } = await ask(told(token))
    expect([status, fields.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"'])
    expect(body.error).toContain(`the token is refused: ${why}`)
    expect(body.error).not.toContain(token)
  })

  /** jose signs none that it would not understand itself. */
  async function criticalToken(): Promise<string> {
    const [, claims, signature] = (await tokenBy()).split('.')
    return [base64url.encode(JSON.stringify({ alg: 'ES256', kid: 'g1', crit: ['x'], x: 1 })), claims, signature].join(
      '.',
    )
  }

  test('refuses what only looks like one: forged, of no algorithm, signed with the public key, with a key of its own', async () => {
    await start()
    const stranger = await makeKey('g1')
    const own = { header: { jwk: stranger.jwk, jku: 'http://127.0.0.1:1/', kid: undefined }, key: stranger }
    const claims = { iss: 'banyan', aud: 'search', exp: Math.floor(Date.now() / 1000) + 300 }
    const shared = new TextEncoder().encode(JSON.stringify(gatewayKey.jwk))
    const [head, , signature] = (await tokenBy()).split('.')
    const forgeries = [
      await tokenBy({ key: stranger }),
      await tokenBy(own),
      new UnsecuredJWT(claims).encode(),
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'g1' }).sign(shared),
      [head, base64url.encode(JSON.stringify({ ...claims, sub: 'admin' })), signature].join('.'),
      'nonsense',
      'a.b.c',
    ]
    for (const token of forgeries) expect([token, await statusOf(token)]).toEqual([token, 401])
    expect(await statusOf(await tokenBy())).toBe(200)
  })
})

describe('while an issuer changes its keys', () => {
  test('a key that is new is asked for, once for all who show it', async () => {
    await start()
    expect(await statusOf(await tokenBy())).toBe(200)
    const next = await makeKey('g2')
    gateway.gives = [gatewayKey, next]
    const token = await tokenBy({ key: next })
    // For a second after it was asked nobody asks it again.
    while ((await statusOf(token)) !== 200);
    const { asked } = gateway
    const statuses = await Promise.all(Array.from({ length: 20 }, () => statusOf(token)))
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(gateway.asked).toBe(asked)
  })

  test('made-up keys do not have it asked each time, whether it answers or not', async () => {
    await start()
    expect(await statusOf(await tokenBy())).toBe(200)
    for (const gives of [[gatewayKey], 'nothing', 'nonsense'] as const) {
      gateway.gives = gives
      const [before, startedAt] = [gateway.asked, performance.now()]
      for (let i = 0; i < 50; i += 1)
        expect([401, 503]).toContain(await statusOf(await tokenBy({ header: { kid: `made up ${i}` } })))
      const seconds = Math.ceil((performance.now() - startedAt) / 1000)
      expect(gateway.asked - before).toBeLessThanOrEqual(seconds + 1)
    }
  })

  test('a key that it withdraws is refused after the next look', async () => {
    holdTime()
    await start()
    const token = await tokenBy()
    expect(await statusOf(token)).toBe(200)
    gateway.gives = [await makeKey('g2')]
    expect(await statusOf(token)).toBe(200)
    vi.advanceTimersByTime(refreshMs)
    // Until its answer has come.
    while ((await statusOf(token)) === 200);
    expect(await statusOf(token)).toBe(401)
  })
})

describe('while an issuer is away', () => {
  test('its last keys are good, for a while', async () => {
    holdTime()
    await start()
    const token = await tokenBy({ claims: { exp: Math.floor((Date.now() + 2 * lastGoodMs) / 1000) } })
    expect(await statusOf(token)).toBe(200)
    gateway.gives = 'nothing'
    vi.advanceTimersByTime(refreshMs)
    while (gateway.asked === 1) expect(await statusOf(token)).toBe(200)
    vi.advanceTimersByTime(lastGoodMs - refreshMs - 1)
    expect(await statusOf(token)).toBe(200)
    vi.advanceTimersByTime(1)
    expect(await ask(told(token))).toMatchObject({
      status: 503,
      body: { error: 'the keys of the issuer cannot be had' },
    })
    gateway.gives = [gatewayKey]
    vi.advanceTimersByTime(1_000)
    expect(await statusOf(token)).toBe(200)
  })

  test('nobody is let in before it gave any, and then at once; the other issuer goes on', async () => {
    gateway.gives = 'nothing'
    await start()
    const token = await tokenBy()
    const { status, fields } = await ask(told(token))
    expect([status, fields.get('retry-after')]).toEqual([503, '1'])
    const direct = await tokenBy({ key: loginKey, claims: { iss: 'https://login.test/' } })
    expect(await statusOf(direct)).toBe(200)
    gateway.gives = [gatewayKey]
    while ((await statusOf(token)) === 503);
    expect(await statusOf(token)).toBe(200)
  })
})

describe('its options', () => {
  test('name one issuer or several, whose names may have an equals sign', () => {
    expect(readTrust('a=http://h/1, https://l/?x=y=https://l/jwks?z=1', 'me')).toEqual({
      issuers: [
        { name: 'a', jwks: new URL('http://h/1') },
        { name: 'https://l/?x=y', jwks: new URL('https://l/jwks?z=1') },
      ],
      audience: 'me',
    })
  })

  test.each(['', 'banyan', 'banyan=', '=http://h/', 'a=file:///etc/passwd', 'a=http://', 'a=http://h,'])(
    '%j is refused',
    (written) => {
      expect(() => readTrust(written, 'me')).toThrow('--issuers must be NAME=URL, several with commas between them')
    },
  )
})
