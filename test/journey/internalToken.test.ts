// What upstreams are told of clients, checked as a service does it: with nothing but the published keys.
import { text } from 'node:stream/consumers'
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Origin, startOrigin } from '../harness/origin.ts'

let seen: (string | undefined)[] = []
let origin: Origin
let gateway: TestGateway

beforeAll(async () => {
  origin = await startOrigin(async (request, response) => {
    await text(request)
    seen.push(request.headers['banyan-token'] as string | undefined)
    response.end('answered')
  })
})
afterAll(() => origin.close())
beforeEach(() => {
  seen = []
})
afterEach(() => gateway.close())

async function start(more = ''): Promise<void> {
  gateway = await startTestGateway(yaml(more))
}

const yaml = (more: string) => `
upstreams:
  m: { url: "${origin.url}" }
  s: { url: "${origin.url}", internalToken: true }
  t: { url: "${origin.url}", internalToken: { audience: "urn:other" } }
unmatched: m
${more}
routes:
  - { name: s, match: { path: "/s/*" }, upstream: s }
  - { name: t, match: { path: "/t/*" }, upstream: t }
  - { name: both, match: { path: /both }, move: { to: s, stage: legacy } }
`

async function tokenAt(path: string, headers: Record<string, string> = {}): Promise<string> {
  expect((await fetch(`${gateway.url}${path}`, { headers })).status).toBe(200)
  return seen.at(-1) ?? ''
}

const keySet = async (url = gateway.adminUrl) =>
  (await (await fetch(`${url}/.well-known/banyan/jwks.json`)).json()) as JSONWebKeySet

test('a service can check it with the published keys, and it is for that service alone', async () => {
  await start()
  const token = await tokenAt('/s/a')
  const keys = createRemoteJWKSet(new URL(`${gateway.adminUrl}/.well-known/banyan/jwks.json`))
  const { payload } = await jwtVerify(token, keys, { issuer: 'banyan', audience: 's', algorithms: ['ES256'] })
  const { iat = 0, exp = 0, ...said } = payload
  expect(said).toEqual({ iss: 'banyan', aud: 's', scope: '' })
  expect([300, 301]).toContain(exp - iat)
  const other = await tokenAt('/t/a')
  await expect(jwtVerify(other, keys, { audience: 's' })).rejects.toThrow('"aud"')
  await jwtVerify(other, keys, { audience: 'urn:other' })
})

test('no private part is published, anywhere', async () => {
  await start()
  await tokenAt('/s/a')
  const { keys } = await keySet()
  expect(keys.map((key) => Object.keys(key).sort())).toEqual([['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']])
})

test('a client that brings one of his own is not passed on, to whomever on that route', async () => {
  await start()
  const forged = { 'banyan-token': 'forged' }
  expect(await tokenAt('/s/a', forged)).toMatch(/^eyJ/)
  expect(await tokenAt('/both', forged)).toBe('')
})

test('a route that tells nobody passes whatever the client sends', async () => {
  await start()
  expect(await tokenAt('/elsewhere', { 'banyan-token': "the client's" })).toBe("the client's")
})

test('it is used again, and is another one after half its life', async () => {
  await start('internalTokens: { life: 2s }')
  const first = await tokenAt('/s/a')
  let next = await tokenAt('/s/b')
  while (next === first) next = await tokenAt('/s/c')
  // By its own clock: a busy machine may come to the second request late.
  expect(Number(decodeJwt(next).iat) - Number(decodeJwt(first).iat)).toBeGreaterThanOrEqual(1)
})

test('the keys rotate: each is published before it signs, and every token can be checked all the time', async () => {
  await start('internalTokens: { life: 1s, rotate: 2s, algorithm: EdDSA }')
  // Half of `rotate`. Who looks more seldom may miss that a key was there before it signed, and proves nothing.
  const aheadMs = 1_000
  let lookedAt = performance.now()
  const known = new Set((await keySet()).keys.map(({ kid }) => kid))
  const signers = new Set<string | undefined>()
  while (signers.size < 3) {
    const token = await tokenAt('/s/a')
    const { kid } = decodeProtectedHeader(token)
    const isProof = performance.now() - lookedAt < aheadMs
    if (isProof) expect(known).toContain(kid)
    lookedAt = performance.now()
    const keys = await keySet()
    // By the clock of its own time: whoever is slow to look at it proves nothing.
    const currentDate = new Date(Number(decodeJwt(token).iat) * 1_000)
    await jwtVerify(token, createLocalJWKSet(keys), { audience: 's', currentDate })
    for (const key of keys.keys) known.add(key.kid)
    if (isProof) signers.add(kid)
  }
})

test('a restart goes on with its keys', async () => {
  await start()
  const token = await tokenAt('/s/a')
  const { folder } = gateway
  const { cp, mkdtemp, rm } = await import('node:fs/promises')
  const kept = await mkdtemp('/tmp/banyan-test-')
  await cp(`${folder}/var`, kept, { recursive: true })
  await gateway.close()
  gateway = await startTestGateway(yaml(''), undefined, {
    env: { BANYAN_DOOR: process.env.BANYAN_DOOR, BANYAN_STATE_DIR: kept },
  })
  await jwtVerify(token, createLocalJWKSet(await keySet()), { audience: 's' })
  await rm(kept, { recursive: true })
})

test('the public door gives the keys where the file says so, and else it is the monolith’s place', async () => {
  await start()
  await fetch(`${gateway.url}/.well-known/banyan/jwks.json`)
  expect(seen).toHaveLength(1)
  await gateway.close()
  await start('internalTokens: { public: true }')
  const response = await fetch(`${gateway.url}/.well-known/banyan/jwks.json`)
  expect(response.headers.get('content-type')).toBe('application/jwk-set+json')
  expect(await response.json()).toEqual(await keySet())
  expect((await fetch(`${gateway.url}/.well-known/banyan/jwks.json`, { method: 'HEAD' })).status).toBe(200)
  expect(seen).toHaveLength(1)
  await fetch(`${gateway.url}/.well-known/banyan/jwks.json`, { method: 'POST' })
  expect(seen).toHaveLength(2)
})
