// Tokens that were made up, each sent as it is: 401 with a challenge, never a 500, and never to the upstream.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'
import { behindProxy } from '../harness/places.ts'
import { exchangeBytes } from '../harness/wire.ts'
import { ask } from './caching.ts'
import {
  audience,
  authMetric,
  bearer,
  guardingYaml,
  issuerName,
  keySetOf,
  makeKey,
  type Saying,
  type SigningKey,
  tokenBy,
} from './issuer.ts'

let gateway: TestGateway
let origin: Awaited<ReturnType<typeof startOrigin>>
let evil: Awaited<ReturnType<typeof startOrigin>>
let issuer: Awaited<ReturnType<typeof startOrigin>>
let rsa: SigningKey
let ec: SigningKey
let ed: SigningKey
let stranger: SigningKey
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
const asked = { origin: 0, evil: 0, issuer: 0 }

beforeAll(async () => {
  rsa = await makeKey('rsa', 'RS256')
  ec = await makeKey('ec')
  ed = await makeKey('ed', 'EdDSA')
  stranger = await makeKey('ec')
  const published = JSON.parse(keySetOf([rsa, ec, ed]))
  published.keys.push({ ...weak.publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256' })
  published.keys.push({ kty: 'oct', kid: 'shared', alg: 'HS256', k: Buffer.alloc(32).toString('base64url') })
  origin = await startOrigin((_, response) => {
    asked.origin += 1
    response.end('yes')
  })
  evil = await startOrigin((_, response) => {
    asked.evil += 1
    response.end(keySetOf([stranger]))
  })
  issuer = await startOrigin((_, response) => {
    asked.issuer += 1
    response.end(JSON.stringify(published))
  })
  gateway = await startTestGateway(guardingYaml({ url: origin.url, jwks: `${issuer.url}/jwks` }), behindProxy)
})

afterAll(async () => {
  await gateway.close()
  for (const { close } of [origin, evil, issuer]) await close()
})

let asking = 0
/** Each from an address of its own: what fails from one says nothing of another. */
function askAs(token: string) {
  asking += 1
  return ask(`${gateway.url}/mine/x`, { ...bearer(token), 'X-Forwarded-For': `192.0.2.${asking}` })
}

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const nowSeconds = Math.floor(Date.now() / 1000)
const claims = { iss: issuerName, aud: audience, sub: 'alice', exp: nowSeconds + 600 }

/** A token put together by hand. */
function forged(header: object, signer: (input: string) => Buffer, said: object = claims): string {
  const input = `${base64url(header)}.${base64url(said)}`
  return `${input}.${signer(input).toString('base64url')}`
}
const hmac = (secret: string | Buffer) => (input: string) => createHmac('sha256', secret).update(input).digest()
const unsigned = () => Buffer.alloc(0)
const pemOf = (key: SigningKey) => JSON.stringify(key.jwk)

test.each<[string, string, () => string | Promise<string>]>([
  ['alg none', 'algorithm', () => forged({ alg: 'none', typ: 'JWT' }, unsigned)],
  ['alg none in another case', 'algorithm', () => forged({ alg: 'nOnE' }, unsigned)],
  ['no alg', 'algorithm', () => forged({ typ: 'JWT' }, unsigned)],
  ['alg as a list', 'algorithm', () => forged({ alg: ['ES256'] }, unsigned)],
  ['a signature cut off', 'signature', async () => (await tokenBy(ec)).replace(/[^.]*$/, '')],
  [
    'a signature of zeros',
    'signature',
    async () => (await tokenBy(ec)).replace(/[^.]*$/, Buffer.alloc(64).toString('base64url')),
  ],
  ['a public key as the secret of HS256', 'algorithm', () => forged({ alg: 'HS256', kid: 'rsa' }, hmac(pemOf(rsa)))],
  [
    'a modulus as the secret of HS256',
    'algorithm',
    () => forged({ alg: 'HS256', kid: 'rsa' }, hmac(Buffer.from(rsa.jwk.n ?? '', 'base64url'))),
  ],
  [
    'a shared secret that the set names',
    'algorithm',
    () => forged({ alg: 'HS256', kid: 'shared' }, hmac(Buffer.alloc(32))),
  ],
  ['an empty secret', 'algorithm', () => forged({ alg: 'HS256' }, hmac(''))],
  ['a key of another algorithm', 'key', () => tokenBy(ec, { header: { kid: 'rsa' } })],
  ['RS256 said of an EC key', 'key', () => tokenBy(rsa, { header: { kid: 'ec' } })],
  ['jku', 'signature', () => tokenBy(stranger, { header: { kid: 'ec', jku: `${evil.url}/jwks` } })],
  ['x5u', 'signature', () => tokenBy(stranger, { header: { kid: 'ec', x5u: `${evil.url}/cert` } })],
  ['jku and an unknown kid', 'key', () => tokenBy(stranger, { header: { kid: 'evil', jku: `${evil.url}/jwks` } })],
  ['an embedded jwk', 'signature', () => tokenBy(stranger, { header: { jwk: stranger.jwk } })],
  [
    'an embedded jwk without kid',
    'signature',
    () => tokenBy(stranger, { header: { kid: undefined, jwk: stranger.jwk } }),
  ],
  ['x5c', 'signature', () => tokenBy(stranger, { header: { x5c: ['MIIB'] } })],
  [
    'a weak key',
    'key',
    () => forged({ alg: 'RS256', kid: 'weak' }, (input) => sign('sha256', Buffer.from(input), weak.privateKey)),
  ],
  ['a kid that is a path', 'key', () => tokenBy(stranger, { header: { kid: '../../../../dev/null' } })],
  [
    'a kid that is a path, and the empty secret',
    'algorithm',
    () => forged({ alg: 'HS256', kid: '/dev/null' }, hmac('')),
  ],
  ['a kid that is SQL', 'key', () => tokenBy(stranger, { header: { kid: "x' UNION SELECT 'secret' -- " } })],
  ['a kid that is a command', 'key', () => tokenBy(stranger, { header: { kid: '|cat /etc/passwd' } })],
  ['a kid of a prototype', 'key', () => tokenBy(stranger, { header: { kid: '__proto__' } })],
  ['a kid that is no text', 'key', () => forged({ alg: 'ES256', kid: { $ne: null } }, unsigned)],
  ['a kid that is endless', 'key', () => tokenBy(stranger, { header: { kid: 'x'.repeat(4_000) } })],
  ['an unknown crit', 'critical', () => forged({ alg: 'ES256', kid: 'ec', crit: ['exp'], exp: 1 }, unsigned)],
  [
    'a crit that jose knows',
    'critical',
    () => forged({ alg: 'ES256', kid: 'ec', crit: ['b64'], b64: false }, unsigned),
  ],
  ['an empty crit', 'critical', () => forged({ alg: 'ES256', kid: 'ec', crit: [] }, unsigned)],
  ['another typ', 'type', () => tokenBy(ec, { header: { typ: 'logout+jwt' } })],
  ['a typ of proofs', 'type', () => tokenBy(ec, { header: { typ: 'dpop+jwt' } })],
  ['another issuer', 'issuer', () => tokenBy(ec, { claims: { iss: 'https://evil.example.test/' } })],
  ['an issuer that begins alike', 'issuer', () => tokenBy(ec, { claims: { iss: `${issuerName}.evil` } })],
  ['no issuer', 'issuer', () => tokenBy(ec, { claims: { iss: undefined } })],
  ['another audience', 'audience', () => tokenBy(ec, { claims: { aud: 'https://other.example.test' } })],
  ['an audience that begins alike', 'audience', () => tokenBy(ec, { claims: { aud: `${audience}.evil` } })],
  ['no audience', 'audience', () => tokenBy(ec, { claims: { aud: undefined } })],
  ['one that has run out', 'expired', () => tokenBy(ec, { expiresIn: -60 })],
  ['one without an end', 'malformed', () => tokenBy(ec, { claims: { exp: undefined } })],
  [
    'an end that is a text',
    'malformed',
    () => forged({ alg: 'ES256', kid: 'ec' }, unsigned, { ...claims, exp: '9999999999' }),
  ],
  [
    'an endless number',
    'malformed',
    () =>
      forged({ alg: 'ES256', kid: 'ec' }, unsigned).replace(
        /\.[^.]+\./,
        `.${Buffer.from(`{"iss":"${issuerName}","aud":"${audience}","sub":"a","exp":1e999}`).toString('base64url')}.`,
      ),
  ],
  ['one that begins later', 'notYet', () => tokenBy(ec, { claims: { nbf: nowSeconds + 300 } })],
  ['one that was issued later', 'notYet', () => tokenBy(ec, { claims: { iat: nowSeconds + 300 } })],
  ['no subject', 'subject', () => tokenBy(ec, { claims: { sub: undefined } })],
  [
    'changed claims',
    'signature',
    async () => (await tokenBy(ec)).replace(/\.[^.]+\./, `.${base64url({ ...claims, sub: 'root' })}.`),
  ],
  [
    'a changed header',
    'signature',
    async () => (await tokenBy(ec)).replace(/^[^.]+/, base64url({ alg: 'ES256', kid: 'ec', x: 1 })),
  ],
  [
    'the signature of another token',
    'signature',
    async () =>
      (await tokenBy(ec)).replace(/[^.]*$/, (await tokenBy(ec, { claims: { sub: 'bob' } })).split('.')[2] ?? ''),
  ],
  ['five parts, encrypted', 'malformed', () => 'eyJhbGciOiJkaXIifQ..x.x.x'],
  ['one part', 'malformed', () => 'opaque'],
  ['no JSON', 'malformed', () => 'bm90anNvbg.bm90anNvbg.bm90anNvbg'],
  ['lists in place of mappings', 'malformed', () => `${base64url([])}.${base64url([])}.AAAA`],
  ['null in place of mappings', 'malformed', () => `${base64url(null)}.${base64url(null)}.AAAA`],
  ['deep JSON', 'malformed', () => `${Buffer.from('['.repeat(3_000)).toString('base64url')}.e30.AAAA`],
  ['a comma', 'malformed', () => 'a.b.c,d.e.f'],
])('%s is refused, for its %s', async (_name, why, make) => {
  const token = await make()
  const refused = await authMetric(gateway, 'jwt', why)
  const before = asked.origin
  const { status, fields, text } = await askAs(token)
  expect(status).toBe(401)
  expect(fields['www-authenticate']).toMatch(/^Bearer realm="api", error="invalid_token"/)
  expect(fields['content-type']).toBe('application/problem+json')
  expect(JSON.parse(text)).toMatchObject({ status: 401, code: 'unauthenticated' })
  expect([asked.origin, asked.evil]).toEqual([before, 0])
  expect(await authMetric(gateway, 'jwt', why)).toBe(refused + 1)
})

const good: Saying = { claims: { nbf: nowSeconds - 1 } }
test.each([
  ['RS256', () => tokenBy(rsa, good)],
  ['ES256', () => tokenBy(ec, good)],
  ['EdDSA', () => tokenBy(ed, good)],
  ['at+jwt', () => tokenBy(ec, { header: { typ: 'application/at+jwt' } })],
  ['one of several audiences', () => tokenBy(ec, { claims: { aud: ['other', audience] } })],
])('and what they imitate is not: %s', async (_name, make) => {
  expect((await askAs(await make())).status).toBe(200)
})

test('where a token that its issuer has signed says that keys are, nobody looks', async () => {
  const header = { jku: `${evil.url}/jwks`, x5u: `${evil.url}/cert`, jwk: stranger.jwk }
  expect((await askAs(await tokenBy(ec, { header }))).status).toBe(200)
  expect(asked.evil).toBe(0)
})

test('two of them, or one beside another field of that name, are nobody knows whose', async () => {
  const token = await tokenBy(ec)
  const both = `Authorization: Bearer ${token}\r\nAuthorization: Basic YTpi\r\n`
  const { received } = await exchangeBytes(
    gateway.port,
    `GET /mine/x HTTP/1.1\r\nHost: h\r\n${both}Connection: close\r\n\r\n`,
  )
  expect(received).toMatch(/^HTTP\/1.1 401 /)
})

test('all of them had the issuer asked a few times at most', () => {
  expect(asked.issuer).toBeLessThanOrEqual(3)
})

test('no token is in any line of the log', async () => {
  const lines = JSON.stringify(await gateway.log())
  expect(lines).toContain('jwt: signature')
  expect(lines).not.toMatch(/eyJ[A-Za-z0-9_-]{8}/)
})
