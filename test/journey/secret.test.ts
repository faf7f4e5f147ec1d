// Upstreams that know the gateway by a secret, while it changes at both ends.
import { mkdtemp, rename, writeFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type Origin, startOrigin } from '../harness/origin.ts'

const field = 'authorization'

/** What the upstream takes. */
let valid: ReadonlySet<string>
let seen: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = []
let origin: Origin
let gateway: TestGateway

beforeAll(async () => {
  origin = await startOrigin(async (request, response) => {
    const body = await text(request)
    seen.push({ headers: request.headers, body })
    response.statusCode = valid.has(String(request.headers[field] ?? request.headers['x-key'])) ? 200 : 401
    response.end(body)
  })
})
afterAll(() => origin.close())
beforeEach(() => {
  seen = []
})
afterEach(() => gateway.close())

async function start(secret: string, env: Record<string, string> = {}): Promise<void> {
  const yaml = `
upstreams: { ai: { url: "${origin.url}", secret: ${secret} } }
unmatched: ai
`
  gateway = await startTestGateway(yaml, undefined, { env: { BANYAN_DOOR: process.env.BANYAN_DOOR, ...env } })
}

const told = () => seen.map(({ headers }) => headers[field])

async function ask(init: RequestInit = {}): Promise<number> {
  const response = await fetch(`${gateway.url}/ask`, init)
  await response.text()
  return response.status
}

test('it stands in place of what the client sends of that name, and nowhere else', async () => {
  valid = new Set(['Bearer new'])
  await start(`{ from: ["\${NEW}"] }`, { NEW: 'new' })
  expect(await ask({ headers: { [field]: "Bearer the client's" } })).toBe(200)
  expect(told()).toEqual(['Bearer new'])
})

test.each([
  [`{ from: ["\${PAIR}"], scheme: basic }`, 'Basic dXNlcjpwYXNzOndvcmQ=', field],
  [`{ from: ["\${PAIR}"], scheme: plain, field: X-Key }`, 'user:pass:word', 'x-key'],
])('%s is sent so', async (secret, value, name) => {
  valid = new Set([value])
  await start(secret, { PAIR: 'user:pass:word' })
  expect(await ask()).toBe(200)
  expect(seen.map(({ headers }) => headers[name])).toEqual([value])
})

test('where the newest is refused the one before it is tried, with the body, and goes first from then on', async () => {
  valid = new Set(['Bearer old'])
  await start(`{ from: ["\${NEW}", "\${OLD}"] }`, { NEW: 'new', OLD: 'old' })
  expect(await ask({ method: 'POST', body: 'all of it' })).toBe(200)
  expect(seen.map(({ body }) => body)).toEqual(['all of it', 'all of it'])
  expect(await ask()).toBe(200)
  expect(told()).toEqual(['Bearer new', 'Bearer old', 'Bearer old'])
})

test('when the upstream has changed over in between, nobody notices either', async () => {
  valid = new Set(['Bearer old'])
  await start(`{ from: ["\${NEW}", "\${OLD}"] }`, { NEW: 'new', OLD: 'old' })
  await ask()
  valid = new Set(['Bearer new'])
  expect(await ask()).toBe(200)
  expect(told()).toEqual(['Bearer new', 'Bearer old', 'Bearer old', 'Bearer new'])
})

test('where both are refused, the refusal is the answer', async () => {
  valid = new Set()
  await start(`{ from: ["\${NEW}", "\${OLD}"] }`, { NEW: 'new', OLD: 'old' })
  expect(await ask()).toBe(401)
  expect(told()).toEqual(['Bearer new', 'Bearer old'])
})

test('a file is followed, and what it held before is the one before', async () => {
  valid = new Set(['Bearer first'])
  const { folder } = await startIn('first\n')
  expect(await ask()).toBe(200)
  await replace(folder, '# the next one\nsecond\n')
  await gateway.line(({ msg }) => msg === 'another secret is in use')
  expect(await ask()).toBe(200)
  valid = new Set(['Bearer second'])
  expect(await ask()).toBe(200)
  expect(told()).toEqual(['Bearer first', 'Bearer second', 'Bearer first', 'Bearer first', 'Bearer second'])
})

test('a file that is emptied changes nothing but the hints', async () => {
  valid = new Set(['Bearer first'])
  const { folder, hints } = await startIn('first\n')
  await replace(folder, '\n')
  await gateway.line(({ msg }) => msg === 'the secret cannot be used')
  expect(await hints()).toEqual([
    expect.stringMatching(/^the secret of ai: .* is empty; .*the one before stays in use$/),
  ])
  expect(await ask()).toBe(200)
})

test('without any secret nothing is sent to that upstream', async () => {
  valid = new Set(['Bearer late'])
  const { folder } = await startIn(undefined)
  expect(await ask()).toBe(502)
  expect(seen).toEqual([])
  await replace(folder, 'late')
  await gateway.line(({ msg }) => msg === 'another secret is in use')
  expect(await ask()).toBe(200)
})

test('who came in before an edit is told the secret of the place that he goes to, and not its successor’s', async () => {
  valid = new Set(['Bearer of the old place', 'Bearer of the new place'])
  const asked = Promise.withResolvers<void>()
  const edited = Promise.withResolvers<void>()
  const sessions = await startOrigin(async (_, response) => {
    asked.resolve()
    await edited.promise
    response.end(JSON.stringify({ id: 'alice' }))
  })
  const successor = await startOrigin((request, response) => void response.end(request.headers[field]))
  const yaml = (url: string, name: string) => `
sessionCookie: SESSION
sessionCheck: { upstream: m, path: /me, subject: $.id }
upstreams: { m: { url: "${sessions.url}" }, ai: { url: "${url}", secret: { from: ["\${${name}}"] } } }
unmatched: m
routes: [{ name: mine, match: { path: /mine }, upstream: ai, auth: { any: [session] } }]
`
  const env = { BANYAN_DOOR: process.env.BANYAN_DOOR, OLD: 'of the old place', NEW: 'of the new place' }
  gateway = await startTestGateway(yaml(origin.url, 'OLD'), undefined, { env })
  const visit = async () => (await fetch(`${gateway.url}/mine`, { headers: { cookie: 'SESSION=a' } })).text()
  const early = visit()
  await asked.promise
  await gateway.rewrite(yaml(successor.url, 'NEW'))
  edited.resolve()
  await early
  expect(told()).toEqual(['Bearer of the old place'])
  expect(await visit()).toBe('Bearer of the new place')
  await sessions.close()
  await successor.close()
})

/** With the secret in a file that may not be there yet. */
async function startIn(secret: string | undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-test-'))
  if (secret !== undefined) await replace(folder, secret)
  await start(`{ from: { file: ${folder}/ai.secret } }`)
  const hints = async () => ((await (await fetch(`${gateway.adminUrl}/status`)).json()) as { hints: string[] }).hints
  return { folder, hints }
}

async function replace(folder: string, secret: string): Promise<void> {
  await writeFile(join(folder, 'new'), secret)
  await rename(join(folder, 'new'), join(folder, 'ai.secret'))
}
