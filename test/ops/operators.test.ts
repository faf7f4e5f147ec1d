// Who may ask the admin listener for what, over real sockets; and what the audit says of it.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import Fastify from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import type { AdminRole, AdminToken } from '../../gateway/model.ts'
import { createAdmin } from '../../gateway/ops/admin.ts'
import type { Gateway } from '../../gateway/ops/gateway.ts'
import { createHealth } from '../../gateway/ops/health.ts'
import { createMetrics } from '../../gateway/ops/metrics.ts'
import { admission } from '../../gateway/ops/operators.ts'
import { paths } from '../../gateway/ops/places.ts'
import type { AuditEntry } from '../../gateway/state/auditRecord.ts'
import { newFolder } from '../cli/banyan.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'
import { places } from '../harness/places.ts'
import { frozenClock, gatewayOf, snapshotOf } from './world.ts'

const clock = frozenClock()

function tokenOf(name: string, roles: readonly AdminRole[], more: Partial<AdminToken> = {}): AdminToken {
  return { name, sha256: createHash('sha256').update(`secret-of-${name}`).digest('hex'), roles, ...more }
}

const bearer = (name: string) => ({ Authorization: `Bearer secret-of-${name}`, 'Banyan-Admin': '1' })

const all = tokenOf('root', ['read', 'diff', 'operate', 'keys'])
const tokens = [
  tokenOf('alice', ['read', 'operate']),
  tokenOf('prometheus', ['read']),
  all,
  tokenOf('gone', ['read'], { expiresAt: clock.wall() }),
  tokenOf('soon', ['read'], { expiresAt: clock.wall() + 86_400_000 }),
]

async function startAdmin(known: readonly AdminToken[], host = '127.0.0.1', parts: Partial<Gateway> = {}) {
  const audited: AuditEntry[] = []
  const refused: [source: string, entry: AuditEntry][] = []
  const record: Gateway['record'] = {
    audit: (entry) => audited.push(entry),
    refused: (source, entry) => refused.push([source, entry]),
    heads: async () => [{ writer: 'w', seq: 3, hash: 'h' }],
  }
  const snapshot = snapshotOf()
  const settings = { ...snapshot.settings, admin: { host, port: 0, tokens: known } }
  const gateway = gatewayOf({ snapshot: () => ({ ...snapshot, settings }), record, ...parts })
  const app = await createAdmin({
    gateway,
    health: createHealth(clock),
    metrics: createMetrics({ version: '1' }),
    clock,
  })
  onTestFinished(() => app.close())
  const url = await app.listen({ host, port: 0 })
  return { app, url, audited, refused }
}

test('a token opens what its roles name, and nothing else', async () => {
  const { url, refused } = await startAdmin(tokens)
  const status = async (path: string, headers: Record<string, string>, method = 'GET') =>
    (await fetch(url + path, { method, headers })).status
  expect(await status('/status', bearer('prometheus'))).toBe(200)
  expect(await status('/reload', bearer('prometheus'), 'POST')).toBe(403)
  expect(await status('/diff/none', bearer('prometheus'))).toBe(403)
  expect(await status('/reload', bearer('alice'), 'POST')).toBe(200)
  expect(await status('/diff/none', bearer('root'))).toBe(404)
  const forbidden = await fetch(`${url}/reload`, { method: 'POST', headers: bearer('prometheus') })
  expect(forbidden.headers.get('www-authenticate')).toBe(
    'Bearer realm="banyan admin", error="insufficient_scope", scope="operate"',
  )
  expect(await forbidden.json()).toMatchObject({
    title: 'This token does not open that.',
    detail: 'the token of prometheus does not have the role operate',
  })
  expect(refused[0]).toEqual([
    '127.0.0.1',
    {
      kind: 'refused',
      by: 'prometheus',
      subject: 'POST /reload',
      reason: 'the token of prometheus does not have the role operate',
    },
  ])
})

test('without a good token there is nothing but health, and the answer says why and what to do', async () => {
  const { url, refused } = await startAdmin(tokens)
  for (const path of ['/healthz', '/readyz']) expect((await fetch(url + path)).status).toBe(200)
  for (const method of ['HEAD', 'OPTIONS']) expect((await fetch(`${url}/status`, { method })).status).toBe(401)
  for (const path of ['/status', '/metrics', '/history', '/upstreams/monolith/x', '/nowhere'])
    expect([path, (await fetch(url + path)).status]).toEqual([path, 401])
  const bare = await fetch(`${url}/status`)
  expect(bare.headers.get('content-type')).toContain('application/problem+json')
  expect(bare.headers.get('www-authenticate')).toBe('Bearer realm="banyan admin"')
  expect(await bare.json()).toMatchObject({
    detail: 'no token was sent',
    remedy: expect.stringContaining('BANYAN_ADMIN_TOKEN'),
  })
  const wrong = [
    ['Bearer secret-of-nobody', 'nobody has this token'],
    ['Bearer secret-of-gone', 'the token of gone has expired at 2026-01-02T03:04:05.000Z'],
    [`Basic ${Buffer.from('alice:secret-of-alice').toString('base64')}`, 'nobody has this token'],
    [`Bearer ${tokens[0]?.sha256}`, 'nobody has this token'],
    [`Bearer ${'x'.repeat(5_000)}`, 'nobody has this token'],
  ] as const
  for (const [authorization, detail] of wrong) {
    const response = await fetch(`${url}/status`, { headers: { authorization } })
    expect([
      response.status,
      response.headers.get('www-authenticate'),
      ((await response.json()) as { detail: string }).detail,
    ]).toEqual([401, 'Bearer realm="banyan admin", error="invalid_token"', detail])
  }
  expect(JSON.stringify(refused)).not.toContain('secret')
})

test('each page says for whom it is', async () => {
  const { url } = await startAdmin([tokenOf('nobody', [])])
  const needed = new Map<string, string>()
  for (const place of paths) {
    const [method = '', path = ''] = place.includes(' ') ? place.split(/(?<!,) /) : ['GET', place]
    const response = await fetch(url + path.replace(/NAME|\*/g, 'x'), {
      method: method.split(', ').at(-1) ?? '',
      headers: bearer('nobody'),
    })
    const [, scope = 'anyone'] = /scope="([^"]*)"/.exec(response.headers.get('www-authenticate') ?? '') ?? []
    needed.set(place, scope)
  }
  // All four would be what a page that says nothing needs.
  expect([...new Set(needed.values())].sort()).toEqual(['anyone', 'diff', 'keys', 'operate', 'read'])
  const open = [...needed].filter(([, role]) => role === 'anyone').map(([place]) => place)
  // What tells nothing that is not for everybody.
  const harmless = ['/healthz', '/readyz', '/.well-known/banyan/jwks.json']
  // The signature of a notice is what lets it in.
  expect([...harmless, 'POST /keys/notices']).toEqual(expect.arrayContaining(open))
  expect(needed.get('POST /rollouts/NAME/rollback')).toBe('operate')
})

test('a page that does not say for whom it is, is for a token with every role', async () => {
  const app = Fastify()
  onTestFinished(() => app.close())
  const snapshot = snapshotOf()
  const settings = { ...snapshot.settings, admin: { host: '127.0.0.1', port: 0, tokens } }
  app.addHook('onRequest', admission({ gateway: gatewayOf({ snapshot: () => ({ ...snapshot, settings }) }), clock }))
  app.get('/forgotten', async () => 'seen')
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  expect((await fetch(`${url}/forgotten`, { headers: bearer('alice') })).status).toBe(403)
  expect((await fetch(`${url}/forgotten`, { headers: bearer('root') })).status).toBe(200)
})

test('without tokens whoever is on this machine may do everything, and nobody else anything', async () => {
  const { url, app, audited } = await startAdmin([])
  const names = [{}, { 'Banyan-Admin': 'alice' }, { 'Banyan-Admin': 'cli:ann' }]
  for (const headers of names)
    expect(
      (await fetch(`${url}/reload`, { method: 'POST', headers: { 'Banyan-Admin': '1', ...headers } })).status,
    ).toBe(200)
  // Nobody can call himself by what may be the name of a token one day.
  expect(audited.map(({ by }) => by)).toEqual(['local', 'local:alice', 'cli:ann'])
  // It has no socket whose address would be loopback.
  const elsewhere = await app.inject({ url: '/status', headers: { host: 'localhost' } })
  expect(elsewhere.statusCode).toBe(401)
})

test('with tokens the name of the listener does not matter: no page of another site has one', async () => {
  const { url } = await startAdmin(tokens)
  const ask = async (authorization: string | undefined) => {
    const headers = { host: 'banyan.internal', ...(authorization && { authorization }) }
    const [response] = await once(request(`${url}/status`, { headers }).end(), 'response')
    response.resume()
    return response.statusCode
  }
  expect([await ask(bearer('alice').Authorization), await ask(undefined)]).toEqual([200, 401])
})

test('every order is recorded with whom it came from and how it was answered; a question is not', async () => {
  const { url, audited } = await startAdmin(tokens)
  await fetch(`${url}/plan`, { method: 'POST', headers: bearer('alice'), body: 'x' })
  await fetch(`${url}/status`, { headers: bearer('alice') })
  await fetch(`${url}/reload`, { method: 'POST', headers: { ...bearer('alice'), 'Banyan-Admin': 'cli:mallory' } })
  await fetch(`${url}/rollouts/none/pause`, { method: 'POST', headers: bearer('root') })
  await fetch(`${url}/keys/byn_live_secret/revoke?x=secret`, { method: 'POST', headers: bearer('root') })
  expect(audited.map(({ kind, by, subject, reason }) => [kind, by, subject, reason])).toEqual([
    ['admin', 'alice', 'POST /reload', 'answered 200'],
    ['admin', 'root', 'POST /rollouts/none/pause', 'answered 404'],
    ['admin', 'root', 'POST /keys/…/revoke', expect.stringMatching(/^answered 4/)],
  ])
  expect(audited[0]?.evidence).toEqual({ address: '127.0.0.1', status: 200 })
})

test('what a page of another site may have sent is recorded too, and as often as everything that is refused', async () => {
  const { url, refused, audited } = await startAdmin([])
  expect((await fetch(`${url}/reload?x=secret`, { method: 'POST' })).status).toBe(403)
  const [response] = await once(request(`${url}/status`, { headers: { host: 'evil.example' } }).end(), 'response')
  response.resume()
  expect(response.statusCode).toBe(421)
  expect(refused.map(([source, { subject, reason }]) => [source, subject, reason])).toEqual([
    ['127.0.0.1', 'POST /reload', 'a change without a Banyan-Admin field'],
    ['127.0.0.1', 'GET /status', 'the Host is not this listener'],
  ])
  expect(audited).toEqual([])
})

test('a token that ends soon, or has ended, is a hint in the status', async () => {
  const { url } = await startAdmin(tokens)
  const status = await (await fetch(`${url}/status`, { headers: bearer('alice') })).json()
  expect(status).toHaveProperty('hints', [
    'the admin token of gone has expired at 2026-01-02T03:04:05.000Z; to make another: banyan admin token gone --roles read',
    'the admin token of soon expires at 2026-01-03T03:04:05.000Z; to make another: banyan admin token soon --roles read',
  ])
})

test('whoever asks too often is told when to come back, whatever else he lacks', async () => {
  const { app } = await startAdmin(tokens)
  const ask = (remoteAddress: string) => app.inject({ url: '/status', headers: { host: 'localhost' }, remoteAddress })
  for (let asked = 0; asked < 500; asked++) expect((await ask('192.0.2.1')).statusCode).toBe(401)
  const last = await ask('192.0.2.1')
  expect([last.statusCode, last.headers['content-type']]).toEqual([429, 'application/problem+json; charset=utf-8'])
  expect(Number(last.headers['retry-after'])).toBeGreaterThan(0)
  expect((await ask('192.0.2.2')).statusCode).toBe(401)
})

test('the command makes a token, the file takes its hash, and the audit names whose it is', async () => {
  const folder = await newFolder()
  const made = await folder.banyan(['admin', 'token', 'alice', '--roles', 'read,operate', '--expires', '90d', '--json'])
  const { token, entry } = JSON.parse(made.out)
  expect(token).toMatch(/^bya_[A-Za-z0-9_-]{43}$/)
  const origin = await startOrigin((_, response) => response.end('ok'))
  onTestFinished(origin.close)
  const yaml = `upstreams: { old: { url: "${origin.url}" } }\nunmatched: old\n`
  const header = places.replace(
    'admin: { host: 127.0.0.1, port: 0 }',
    `admin: { host: 127.0.0.1, port: 0, tokens: [${JSON.stringify(entry)}] }`,
  )
  const gateway = await startTestGateway(yaml, header)
  onTestFinished(gateway.close)
  const env = { BANYAN_ADMIN_TOKEN: token, USER: 'mallory' }
  expect((await folder.banyan(['status', '--admin', gateway.adminUrl])).err).toContain(
    'This needs a token. no token was sent',
  )
  const wrong = await folder.banyan(['status', '--admin', gateway.adminUrl], {
    env: { BANYAN_ADMIN_TOKEN: 'bya_other' },
  })
  expect(wrong).toMatchObject({ code: 1, err: 'This needs a token. nobody has this token\n' })
  expect(await folder.banyan(['status', '--admin', gateway.adminUrl], { env })).toMatchObject({ code: 0 })
  const odd = await folder.banyan(['status', '--admin', gateway.adminUrl], {
    env: { BANYAN_ADMIN_TOKEN: 'not a\ttoken' },
  })
  expect(odd).toMatchObject({ code: 2, err: 'banyan: what is in BANYAN_ADMIN_TOKEN is no token\n' })
  await fetch(`${gateway.adminUrl}/reload`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Banyan-Admin': '1' },
  })
  expect(await gateway.line(({ msg }) => msg === 'admin call')).toMatchObject({ by: 'alice', subject: 'POST /reload' })
  // The second and third of this address are counted, and told when the minute is over or the gateway ends.
  expect((await gateway.log()).filter(({ msg }) => msg === 'refused')).toMatchObject([
    { by: '127.0.0.1', subject: 'GET /status', reason: 'no token was sent' },
  ])
  await gateway.gateway.close()
  const names = await readdir(join(gateway.folder, 'var', 'audit'))
  const written = await readFile(join(gateway.folder, 'var', 'audit', names[0] ?? ''), 'utf8')
  expect(written).toContain('"by":"alice","subject":"POST /reload"')
  expect(written).toContain('1 more within a minute')
  expect(written + (await readFile(join(gateway.folder, 'out.log'), 'utf8'))).not.toContain('bya_')
})

test.each([
  [['admin', 'token'], 'banyan admin'],
  [['admin', 'token', 'alice'], 'say what it opens: --roles read,diff,operate,keys'],
  [['admin', 'token', 'alice', '--roles', 'operater'], 'there is no role "operater"; did you mean "operate"?'],
  [['admin', 'token', 'a b', '--roles', 'read'], 'the NAME is a name of letters'],
  [
    ['admin', 'token', 'alice', '--roles', 'read', '--expires', '2020-01-01'],
    '--expires 2020-01-01 has passed already',
  ],
  [['admin', 'token', 'alice', '--roles', 'read', '--expires', 'soon'], '--expires takes a day such as 2027-01-31'],
  [['admin', 'key', 'alice', '--roles', 'read'], 'banyan admin takes token, not key'],
])('%j is told what it lacks', async (args, message) => {
  const folder = await newFolder()
  const ended = await folder.banyan(args)
  expect([ended.code, ended.err]).toEqual([2, expect.stringContaining(message)])
})
