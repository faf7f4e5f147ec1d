// An issuer of tokens with keys of its own, and a gateway whose route takes them.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'
import type { TestGateway } from '../harness/gateway.ts'
import { plant } from '../harness/planted.ts'
import { startGateway } from './caching.ts'

export const issuerName = 'https://login.example.test/'
export const audience = 'https://api.example.test'

export interface SigningKey {
  readonly kid: string
  readonly algorithm: string
  readonly privateKey: CryptoKey
  /** As its issuer publishes it. */
  readonly jwk: JWK
}

export async function makeKey(kid: string, algorithm = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  return { kid, algorithm, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' } }
}

export interface Saying {
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
  /** Seconds from now. */
  readonly expiresIn?: number
}

/** A token that is right but for what is said. */
export function tokenBy(key: SigningKey, { claims = {}, header = {}, expiresIn = 600 }: Saying = {}): Promise<string> {
  const nowSeconds = Math.floor(Date.now() / 1000)
  const said = {
    iss: issuerName,
    aud: audience,
    sub: 'alice',
    iat: nowSeconds - 600,
    exp: nowSeconds + expiresIn,
    jti: plant('token'),
    ...claims,
  }
  return new SignJWT(said)
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'JWT', ...header })
    .sign(key.privateKey)
}

export function keySetOf(keys: readonly SigningKey[]): string {
  return JSON.stringify({ keys: keys.map(({ jwk }) => jwk) })
}

/** A file of an issuer's keys, in a folder of its own. */
export async function publish(keys: readonly SigningKey[]) {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-issuer-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'jwks.json')
  const replace = async (text: string) => {
    await writeFile(`${file}.new`, text)
    await rename(`${file}.new`, file)
  }
  await replace(keySetOf(keys))
  return { file, replace, publish: (next: readonly SigningKey[]) => replace(keySetOf(next)) }
}

export interface Guarding {
  /** Of the origin. */
  readonly url: string
  /** The file or URL of the issuer's keys. */
  readonly jwks: string
  readonly auth?: string
  /** More keys of the issuer. */
  readonly issuer?: string
  /** More lines of the top. */
  readonly top?: string
  /** More routes. */
  readonly routes?: string
}

/** The file of a gateway whose route `/mine/*` is for who is known, and all else is not. */
export function guardingYaml({ url, jwks, auth = '{ any: [jwt] }', issuer, top = '', routes = '' }: Guarding): string {
  const more = issuer === undefined ? '' : `, ${issuer}`
  return `
paths: { case: exact }
upstreams: { origin: { url: "${url}" } }
unmatched: origin
issuers: [{ issuer: "${issuerName}", jwks: "${jwks}", audience: ["${audience}"]${more} }]
${top}
routes:
  - { name: mine, match: { path: /mine/* }, upstream: origin, auth: ${auth} }
${routes}`
}

export function startGuarding(guarding: Guarding): Promise<TestGateway> {
  return startGateway(guardingYaml(guarding))
}

export function bearer(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` }
}

export const authMetric = (gateway: TestGateway, method: string, result: string, mode = 'enforce') =>
  gateway.metric(`banyan_auth_requests_total{route="mine",method="${method}",result="${result}",mode="${mode}"}`)
