// A gateway with all that knows or passes secrets, each of them planted; and whoever sends them to it, rightly and wrongly.
import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage, RequestListener } from 'node:http'
import { Agent, request as secureRequest } from 'node:https'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { SignJWT } from 'jose'
import { afterAll, expect } from 'vitest'
import { type Folder, newFolder } from '../cli/banyan.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'
import { plant, type Written } from '../harness/planted.ts'
import { openTlsWire, openWire, type Wire } from '../harness/wire.ts'
import { startRedis } from '../redis/server.ts'
import { audience, issuerName, keySetOf, makeKey, tokenBy } from './issuer.ts'
import { splitKey } from './sides.ts'

/** By what they are: whatever of it is found where it should not be is named so. */
export type Secrets = Record<string, string>

export interface Planting {
  readonly gateway: TestGateway
  readonly folder: Folder
  readonly stateDir: string
  readonly yaml: string
  readonly env: Readonly<Record<string, string>>
  readonly secrets: Secrets
  /** What answers bear, and a cache may keep. */
  readonly answerBody: string
  /** What both Redis have been told, word by word. */
  readonly monitors: readonly Wire[]
  /** What the origins were asked with. */
  readonly heads: IncomingMessage['headers'][]
}

export async function startPlanting(): Promise<Planting> {
  const folder = await newFolder()
  const stateDir = join(folder.path, 'state')
  await mkdir(stateDir)
  await folder.write('state/splitKey', `${splitKey}\n`)
  const answerBody = plant('answer')
  const secrets = await plantAll(join(folder.path, 'tls.key'))
  const heads: IncomingMessage['headers'][] = []
  const origins = await Promise.all([answering('old'), answering('new')].map((listener) => startOrigin(listener)))
  for (const { close } of origins) afterAll(close)
  function answering(side: string): RequestListener {
    return async (request, response) => {
      heads.push(request.headers)
      await buffer(request).catch(() => {})
      answerAs({ side, secrets, answerBody }, request, response)
    }
  }
  const password = plant('redis')
  const redis = await Promise.all([1, 2].map(() => startRedis(['--requirepass', password])))
  for (const { stop } of redis) afterAll(stop)
  const monitors = await Promise.all(redis.map(({ port }) => openWire(port, `AUTH ${password}\r\nMONITOR\r\n`)))
  const [state, cache] = redis.map(({ port }) => `redis://:${password}@127.0.0.1:${port}`)
  const env = envOf(secrets, { STATE_URL: state ?? '', CACHE_URL: cache ?? '', BANYAN_STATE_DIR: stateDir })
  Object.assign(secrets, { redisPassword: password })
  const yaml = await yamlOf(
    folder,
    origins.map(({ url }) => url),
    secrets,
  )
  const header = `public: { host: 127.0.0.1, port: 0, tls: { certificates: [{ cert: ${folder.path}/tls.pem, key: ${folder.path}/tls.key }] } }
probes: { host: 127.0.0.1, port: 0 }
`
  const gateway = await startTestGateway(yaml, header, { env })
  return { gateway, folder, stateDir, yaml: header + yaml, env, secrets, answerBody, monitors, heads }
}

async function plantAll(tlsKeyFile: string): Promise<Secrets> {
  const certificates = join(import.meta.dirname, '../door/certificates')
  await copyFile(join(certificates, 'one.key'), tlsKeyFile)
  await copyFile(join(certificates, 'one.pem'), tlsKeyFile.replace(/key$/, 'pem'))
  const names = ['session', 'unknownSession', 'queryValue', 'body', 'cookie', 'setCookie', 'upstreamNew', 'upstreamOld']
  const more = ['basicPassword', 'rootToken', 'readerToken', 'wrongAdminToken', 'pepper', 'testersKey', 'jwtSecret']
  const all = [...names, ...more].map((name) => [name, plant(name)])
  return { ...Object.fromEntries(all), tlsKey: (await readFile(tlsKeyFile, 'utf8')).split('\n')[1] ?? '' }
}

function envOf(secrets: Secrets, more: Record<string, string>): Record<string, string> {
  const hashOf = (token = '') => `sha256:${createHash('sha256').update(token).digest('hex')}`
  const {
    rootToken,
    readerToken,
    pepper = '',
    upstreamNew = '',
    upstreamOld = '',
    basicPassword,
    testersKey = '',
  } = secrets
  return {
    ...{ ROOT_HASH: hashOf(rootToken), READER_HASH: hashOf(readerToken), PEPPER: pepper, AI_NEW: upstreamNew },
    ...{ AI_OLD: upstreamOld, PAIR: `banyan:${basicPassword}`, TESTERS_KEY: testersKey },
    ...{ JWT_SECRET: secrets.jwtSecret ?? '', ...more },
  }
}

interface Answering {
  readonly side: string
  readonly secrets: Secrets
  readonly answerBody: string
}

/** The last part of the path chooses a fault; nothing of what came in is told back. */
function answerAs(
  { side, secrets, answerBody }: Answering,
  { url = '', headers }: IncomingMessage,
  response: Parameters<RequestListener>[1],
): void {
  const path = url.split('?', 1)[0] ?? ''
  const last = path.split('/').at(-1) ?? ''
  if (path === '/api/me') {
    const isHis = headers.cookie === `SESSION=${secrets.session}`
    return void response.writeHead(isHis ? 200 : 401).end(isHis ? '{"user":"alice"}' : '')
  }
  if (breaksOff(last, response, answerBody)) return
  const isOld = headers.authorization === `Bearer ${secrets.upstreamOld}`
  const status = /^[45]\d\d$/.test(last) ? Number(last) : path.startsWith('/ai') && !isOld ? 401 : 200
  const stock = path.startsWith('/cached') ? { 'Cache-Control': 'max-age=60', 'Cache-Tag': 'a' } : undefined
  response.writeHead(status, {
    'Content-Type': 'application/json',
    ...(stock ?? { 'Set-Cookie': `SESSION=${secrets.setCookie}; Path=/` }),
  })
  response.end(JSON.stringify({ is: answerBody, side, cookie: `${secrets.setCookie}-of-${side}` }))
}

function breaksOff(how: string, { socket }: Parameters<RequestListener>[1], said: string): boolean {
  if (how === 'cut') socket?.destroy()
  else if (how === 'garbage') socket?.end(`HTTP/1.1 2x0 ${said}\r\n${said}\r\n\r\n`)
  else if (how === 'half') socket?.end(`HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n${said}`)
  else return false
  return true
}

async function yamlOf(folder: Folder, [old, candidate]: readonly string[], secrets: Secrets): Promise<string> {
  const signing = await makeKey('k')
  const file = await folder.write('jwks.json', keySetOf([signing]))
  Object.assign(secrets, {
    jwt: await tokenBy(signing, { claims: { email: plant('claim') } }),
    expiredJwt: await tokenBy(signing, { expiresIn: -600 }),
    strangersJwt: await tokenBy(await makeKey('k')),
    sharedJwt: await new SignJWT({ iss: 'https://hs.example/', aud: audience, sub: 'hal', jti: plant('hs') })
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(Buffer.from(secrets.jwtSecret ?? '')),
  })
  return `
admin:
  host: 127.0.0.1
  port: 0
  tokens:
    - { name: root, hash: "\${ROOT_HASH}", roles: [read, diff, operate, keys] }
    - { name: reader, hash: "\${READER_HASH}", roles: [read] }
store: { state: "\${STATE_URL}", cache: "\${CACHE_URL}" }
accessLog: { file: ${folder.path}/access.log }
deadlineField: Request-Timeout
paths: { case: exact }
sessionCookie: SESSION
sessionCheck: { upstream: old, path: /api/me, subject: $.user }
keys: { env: test, peppers: ["\${PEPPER}"] }
internalTokens: { public: true }
issuers:
  - { issuer: "${issuerName}", jwks: "${file}", audience: ["${audience}"] }
  - { issuer: "https://hs.example/", secret: "\${JWT_SECRET}", algorithms: [HS256], audience: ["${audience}"] }
upstreams:
  old: { url: "${old}" }
  new: { url: "${candidate}" }
  service: { url: "${old}", internalToken: true, breaker: {} }
  ai: { url: "${old}", secret: { from: ["\${AI_NEW}", "\${AI_OLD}"] } }
  paired: { url: "${old}", secret: { from: ["\${PAIR}"], scheme: basic } }
unmatched: old
routes:
  - { name: mine, match: { path: /mine/* }, upstream: service, auth: { any: [jwt, apiKey, session] }, limit: { rate: 900/s, per: identity } }
  - { name: told, match: { path: /told/* }, upstream: service, auth: { any: [jwt, apiKey], scopes: [none], mode: report } }
  - { name: cached, match: { path: /cached/* }, upstream: old, cache: { per: identity, status: true }, auth: { any: [jwt, apiKey, session] } }
  - { name: few, match: { path: /few/* }, upstream: old, limit: [{ rate: 1/h, per: { field: Authorization } }, { rate: 1/h, per: { field: Cookie } }] }
  - { name: ai, match: { path: /ai/* }, upstream: ai }
  - { name: paired, match: { path: /paired/* }, upstream: paired }
  - name: moved
    match: { path: /moved/* }
    move:
      to: new
      stage: shadow
      stickyBy: { cookie: SESSION }
      testers: { cookie: tester, key: "\${TESTERS_KEY}" }
      compare: { sample: 100%, atMost: 100000/s, fields: [content-type, set-cookie] }
  - name: live
    match: { path: /live/* }
    retry: { attempts: 1, on: [503] }
    move: { to: new, stage: canary, share: 50%, stickyBy: affinity, fallback: { on: [503] }, readYourWrites: { after: ["POST /live/*"], for: 5s } }
`
}

/** One request in all the ways in which it may bear that. */
export function waysIn(secret: string): readonly (RequestOptions & { readonly query?: string })[] {
  const basic = Buffer.from(`banyan:${secret}`).toString('base64')
  const fields = [
    { Authorization: `Bearer ${secret}` },
    { Authorization: secret },
    { Authorization: `Basic ${basic}`, 'Proxy-Authorization': `Basic ${basic}` },
    { 'X-Api-Key': secret },
    { Cookie: `SESSION=${secret}; tester=${secret}` },
    { 'Banyan-Token': secret, 'Request-Timeout': secret, Referer: `https://a.example/?token=${secret}` },
    { 'X-Forwarded-For': secret, Forwarded: `for=${secret}`, Traceparent: secret, Origin: `https://${secret}` },
    { Upgrade: secret, Connection: `upgrade, ${secret}`, 'Sec-WebSocket-Protocol': secret },
    { 'If-None-Match': `"${secret}"`, Range: `bytes=${secret}`, Expect: secret },
  ]
  const written = { method: 'POST', fields: { 'Content-Type': 'application/json' }, body: JSON.stringify({ secret }) }
  return [...fields.map((fields) => ({ fields })), { query: `?token=${secret}&q;x=${secret}` }, written]
}

export interface RequestOptions {
  readonly method?: string
  readonly fields?: Readonly<Record<string, string>>
  readonly body?: string
}

const agent = new Agent({ keepAlive: true, rejectUnauthorized: false })

/** @returns all of the answer; what broke off is told as far as it came */
export async function ask(
  { gateway }: Pick<Planting, 'gateway'>,
  path: string,
  { method = 'GET', fields = {}, body }: RequestOptions = {},
): Promise<Written & { readonly status: number }> {
  const place = { host: '127.0.0.1', port: gateway.port, path, method, headers: fields, agent }
  const answer = await new Promise<IncomingMessage | undefined>((resolve) => {
    const asked = secureRequest(place, resolve).on('error', () => resolve(undefined))
    asked.end(body)
  })
  const heard = answer === undefined ? '' : await text(answer).catch(() => '')
  const name = `the answer to ${method} ${path.split('?', 1)[0]}`
  return { name, status: answer?.statusCode ?? 0, text: `${answer?.rawHeaders.join('\n')}\n${heard}` }
}

/** Bytes that no gateway may take for a request, and some that it must. */
export async function malformed({ gateway }: Planting, secret: string): Promise<readonly Written[]> {
  const bearer = `Authorization: Bearer ${secret}\r\n`
  const requests = [
    `GET /x?${secret} HTTP/1.1\r\nHost: a\r\nAuthorization : Bearer ${secret}\r\n\r\n`,
    `GET http://user:${secret}@a.example/x HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n`,
    `GET /x HTTP/1.1\r\nHost: user:${secret}@a.example\r\n${bearer}\r\n`,
    `GET /x?${secret} HTTP/1.1\n${bearer}\n\n`,
    `${secret} /x HTTP/1.1\r\nHost: a\r\n\r\n`,
    `GET /x;jsessionid=${secret} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    `GET /x HTTP/1.${secret}\r\nHost: a\r\n\r\n`,
    `CONNECT ${secret}:443 HTTP/1.1\r\nHost: ${secret}\r\n\r\n`,
    `POST /x HTTP/1.1\r\nHost: a\r\n${bearer}Transfer-Encoding: chunked\r\n\r\n${secret}\r\n`,
    `POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: ${secret}\r\n\r\n`,
    `GET /x HTTP/1.1\r\nHost: a\r\nHost: ${secret}\r\n\r\n`,
    `GET /x HTTP/1.1\r\nHost: a\r\nCookie: ${secret.repeat(3_000)}\r\n\r\n`,
  ]
  return Promise.all(
    requests.map(async (bytes, i) => {
      const wire = await openTlsWire(gateway.port, 'one.example', bytes)
      return { name: `the answer to malformed request ${i}`, text: (await wire.closed()).received }
    }),
  )
}

/** @returns the answer as an operator gets it */
export async function order(
  { gateway }: Planting,
  place: string,
  token: string,
  body?: object,
): Promise<Written & { readonly status: number }> {
  const response = await fetch(`${gateway.adminUrl}/${place}`, {
    method: body ? 'POST' : 'GET',
    headers: {
      Authorization: `Bearer ${token}`,
      'Banyan-Admin': '1',
      ...(body && { 'Content-Type': 'application/json' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { name: `the answer to ${place.split('?')[0]}`, status: response.status, text: await response.text() }
}

/** The file with one mistake for each way in which somebody writes a secret where none may be. */
export async function mistakes({ yaml, gateway }: Planting, secret: string): Promise<readonly Written[]> {
  const wrong = [
    yaml.replace('old: { url: "http://', `old: { url: "http://user:${secret}@`),
    yaml.replace(/"\$\{ROOT_HASH\}"/, `"${secret}"`),
    yaml.replace(/"\$\{PEPPER\}"/, `"${secret.slice(0, 14)}"`),
    yaml.replace(/"\$\{TESTERS_KEY\}"/, `[${secret}]`),
    yaml.replace(/"\$\{STATE_URL\}"/, `"redis://:${secret}@127.0.0.1:99999"`),
    yaml.replace(/"\$\{STATE_URL\}"/, `"http://:${secret}@127.0.0.1:1"`),
    yaml.replace(/"\$\{AI_NEW\}"/, `" ${secret}"`),
    yaml.replace(/jwks: "/, `jwks: "https://u:${secret}@a.example/?token=${secret}#`),
    yaml.replace(/secret: "\$\{JWT_SECRET\}"/, `secret: ${secret}, jwks: x`),
    yaml.replace(/from: \["\$\{PAIR\}"\]/, `from: "${secret}"`),
    yaml.replace('share: 50%', `share: "\${PEPPER}"`),
    yaml.replace(/secret: \{ from: \["\$\{PAIR\}"\], scheme: basic \}/, `secret: "${secret}"`),
    yaml.replace(/peppers: \["\$\{PEPPER\}"\]/, `peppers: "${secret}"`),
    yaml.replace(/testers: \{[^\n]+\}/, `testers: ${secret}`),
    yaml.replace(/tokens:\n.+\n.+\n/, `tokens: ${secret}\n`),
  ]
  const told: Written[] = []
  for (const [i, text] of wrong.entries()) {
    if (text === yaml) throw new Error(`mistake ${i} is none`)
    await writeFile(join(gateway.folder, 'routes.yaml'), text)
    const result = await gateway.gateway.reload()
    expect([i, result.accepted]).toEqual([i, false])
    told.push({ name: `reload ${i}`, text: JSON.stringify(result) })
  }
  await writeFile(join(gateway.folder, 'routes.yaml'), yaml)
  await gateway.gateway.reload()
  return told
}
