// Keys of ours over real sockets: issued at the admin listener, sent by clients, ended in every way there is.
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { makeKey } from '../../gateway/identity/keyFormat.ts'
import type { TestGateway } from '../harness/gateway.ts'
import { startOrigin } from '../harness/origin.ts'
import { until } from '../state/store/stores.ts'
import { type Ordered, order, read } from './fleet.ts'
import { newStateDir, startBetween } from './sides.ts'

interface Site {
  readonly gateway: TestGateway
  readonly stateDir: string
  /** The heads of what came through. */
  readonly heads: IncomingMessage['headers'][]
}

async function start(keys = '', auth = 'any: [apiKey]'): Promise<Site> {
  const heads: IncomingMessage['headers'][] = []
  const origin = await startOrigin((request, response) => {
    heads.push(request.headers)
    if (request.url !== '/search/events') return void response.end('here')
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    response.write('data: 1\n\n')
  })
  const sockets = new WebSocketServer({ server: origin.server })
  sockets.on('connection', (socket) => socket.on('message', (message) => socket.send(String(message))))
  onTestFinished(origin.close)
  const stateDir = await newStateDir()
  const yaml = `
upstreams: { origin: { url: "${origin.url}" } }
unmatched: origin
${keys}
routes:
  - { name: search, match: { path: "/search/*" }, upstream: origin, auth: { ${auth} } }
  - { name: orders, match: { path: "/orders/*" }, upstream: origin, auth: { ${auth} } }
`
  return { gateway: await startBetween(yaml, stateDir), stateDir, heads }
}

interface Issued {
  readonly key: string
  readonly id: string
}

async function issue(gateway: TestGateway, about: object = {}): Promise<Issued> {
  const { status, body } = await order(gateway, 'keys', { owner: 'acme', ...about })
  expect(status, JSON.stringify(body)).toBe(201)
  return { key: String(body.key), id: String(body.id) }
}

const revoke = ({ id }: Issued, gateway: TestGateway): Promise<Ordered> =>
  order(gateway, `keys/${id}/revoke`, { reason: 'it leaked' })

const ask = ({ url }: TestGateway, key: string, path = '/search/x') =>
  fetch(url + path, { headers: { Authorization: `Bearer ${key}` } })

test('a key opens the routes that it is for, in either field, and goes no further than the gateway', async () => {
  const { gateway, heads } = await start()
  const { key } = await issue(gateway, { routes: ['search'] })
  expect((await fetch(`${gateway.url}/search/x`)).status).toBe(401)
  expect((await ask(gateway, key)).status).toBe(200)
  expect((await fetch(`${gateway.url}/search/x`, { headers: { 'X-Api-Key': key } })).status).toBe(200)
  expect((await ask(gateway, key, '/orders/x')).status).toBe(403)
  expect(heads).toHaveLength(2)
  expect(JSON.stringify(heads)).not.toContain(key)
  expect(
    heads.every(({ authorization, 'x-api-key': field }) => authorization === undefined && field === undefined),
  ).toBe(true)
})

test('after a rotation both work, and answers to the old one say until when', async () => {
  const { gateway } = await start('keys: { overlap: 2d }')
  const old = await issue(gateway)
  const before = Math.floor(Date.now() / 1000)
  const rotated = await order(gateway, `keys/${old.id}/rotate`)
  expect(rotated).toMatchObject({ status: 201, body: { owner: 'acme', replaces: { id: old.id, standing: 'rotated' } } })
  const [one, other] = [await ask(gateway, old.key), await ask(gateway, String(rotated.body.key))]
  expect([one.status, other.status]).toEqual([200, 200])
  const since = Number(/^@(\d+)$/.exec(one.headers.get('deprecation') ?? '')?.[1])
  expect(since).toBeGreaterThanOrEqual(before)
  const sunset = Date.parse(one.headers.get('sunset') ?? '') / 1000
  expect(Math.abs(sunset - since - 2 * 86_400)).toBeLessThanOrEqual(1)
  expect([other.headers.has('deprecation'), other.headers.has('sunset')]).toEqual([false, false])
})

test('one that is too old is told how to renew, and operators once', async () => {
  const { gateway } = await start('keys: { maxAge: 1s, warn: 500ms }')
  const { key, id } = await issue(gateway)
  await until(async () => (await ask(gateway, key)).status === 401)
  const answer = await ask(gateway, key)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(JSON.stringify(await answer.json())).toMatch(/past its age.*rotation/)
  const line = await gateway.line(({ msg }) => String(msg).startsWith('a key is too old'))
  expect(line).toMatchObject({ level: 'warn', key: id, owner: 'acme' })
  expect(await gateway.metric('banyan_keys{standing="tooOld"}')).toBe(1)
})

test('break-glass.yaml refuses a key without the admin listener', async () => {
  const { gateway, stateDir } = await start()
  const [one, other] = [await issue(gateway), await issue(gateway)]
  await writeFile(join(stateDir, 'break-glass.yaml'), `denyKeys: [${one.id}]\n`)
  await until(async () => (await ask(gateway, one.key)).status === 401)
  expect((await ask(gateway, other.key)).status).toBe(200)
  await writeFile(join(stateDir, 'break-glass.yaml'), '')
  await until(async () => (await ask(gateway, one.key)).status === 200)
})

test('a revocation ends the event streams and tunnels of that key, and of no other', async () => {
  const { gateway } = await start()
  const [one, other] = [await issue(gateway), await issue(gateway)]
  const events = async ({ key }: Issued): Promise<IncomingMessage> => {
    const asked = httpRequest(`${gateway.url}/search/events`, { headers: { 'X-Api-Key': key } }).end()
    const [answer] = (await once(asked, 'response')) as [IncomingMessage]
    onTestFinished(() => void asked.destroy())
    return answer
  }
  const socketOf = async ({ key }: Issued): Promise<WebSocket> => {
    const socket = new WebSocket(`${gateway.url.replace('http', 'ws')}/search/socket`, {
      headers: { 'X-Api-Key': key },
    })
    onTestFinished(() => socket.terminate())
    await once(socket, 'open')
    return socket
  }
  const [stream, kept] = [await events(one), await events(other)]
  const [socket, keptSocket] = [await socketOf(one), await socketOf(other)]
  const closed = once(socket, 'close')
  expect((await revoke(one, gateway)).status).toBe(200)
  expect(await text(stream)).toBe('data: 1\n\n')
  expect((await closed)[0]).toBe(1001)
  expect(await gateway.metric('banyan_key_streams')).toBe(2)
  expect(await gateway.metric('banyan_key_streams_ended_total')).toBe(2)
  keptSocket.send('still here')
  expect(String((await once(keptSocket, 'message'))[0])).toBe('still here')
  expect(kept.readableEnded).toBe(false)
})

test('all that was done is in the audit with who did it, and no key is in anything that was written', async () => {
  const { gateway, stateDir } = await start()
  const old = await issue(gateway, { scopes: ['a:b'], rate: '9/min', expires: '30d' })
  const rotated = await order(gateway, `keys/${old.id}/rotate`)
  await ask(gateway, old.key)
  await revoke(old, gateway)
  await ask(gateway, old.key)
  const { records } = await read<{ records: { kind: string; subject: string; by: string; reason?: string }[] }>(
    gateway,
    'history',
  )
  const ofKeys = records.filter(({ kind }) => kind.startsWith('key'))
  expect(ofKeys.map(({ kind, subject, by }) => [kind, subject, by])).toEqual([
    ['keyIssue', old.id, 'cli:ann'],
    ['keyRotate', old.id, 'cli:ann'],
    ['keyRevoke', old.id, 'cli:ann'],
  ])
  expect(ofKeys.at(-1)?.reason).toBe('it leaked')
  const logged = JSON.stringify(await gateway.log())
  expect(logged).toContain(old.id)
  await gateway.close()
  const secrets = [old.key, String(rotated.body.key)].map((key) => key.slice(-28))
  const files = (await readdir(stateDir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  const written = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')))
  for (const secret of secrets) expect([...written, logged].some((all) => all.includes(secret))).toBe(false)
  expect(written.some((all) => all.includes(old.id))).toBe(true)
})

test('what nobody can mean is refused, with the remedy', async () => {
  const { gateway } = await start()
  const wrong: [string, object, number, RegExp][] = [
    ['keys', {}, 400, /owner/],
    ['keys', { owner: 'a\nb' }, 400, /owner/],
    ['keys', { owner: 'a', scopes: ['two words'] }, 400, /scopes/],
    ['keys', { owner: 'a', rate: 'often' }, 400, /rate/],
    ['keys', { owner: 'a', expires: '0d' }, 400, /expires/],
    ['keys', { owner: 'a', routes: ['serach'] }, 409, /the routes are search, orders/],
    ['keys', { owner: 'a', colour: 'red' }, 400, /additional/],
    ['keys/byn_live_nobody00/rotate', {}, 409, /no key is called/],
    ['keys/byn_live_nobody00/revoke', {}, 400, /reason/],
    ['keys/byn_live_nobody00/revoke', { reason: 'x' }, 409, /no key is called/],
  ]
  for (const [place, body, status, says] of wrong) {
    const refused = await order(gateway, place, body)
    expect([place, refused.status]).toEqual([place, status])
    expect(JSON.stringify(refused.body)).toMatch(says)
  }
  expect((await read<{ keys: unknown[] }>(gateway, 'keys')).keys).toEqual([])
})

test('status says how keys stand', async () => {
  const { gateway } = await start()
  await revoke(await issue(gateway), gateway)
  await issue(gateway)
  const status = await read<{ keys: object }>(gateway, 'status')
  expect(status.keys).toEqual({ standings: { live: 1, revoked: 1 }, underOldPepper: 0, silentSeconds: 0, replicas: [] })
})

test('a signed notice of a secret scanner ends the keys that it names, and an unsigned one nothing', async () => {
  const scanner = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const folder = await newStateDir()
  const file = join(folder, 'scanner.pem')
  await writeFile(file, String(scanner.publicKey.export({ type: 'spki', format: 'pem' })))
  const { gateway } = await start(`keys: { notices: { publicKeys: "${file}" } }`)
  const [one, other] = [await issue(gateway), await issue(gateway)]
  const notice = JSON.stringify([
    { token: one.key, type: 'banyan', url: 'https://code.example/a/b?token=secret', source: 'content' },
  ])
  const send = async (body: string, signature: string) => {
    // Nothing else than GitHub sends.
    const headers = { 'Content-Type': 'application/json', 'Github-Public-Key-Signature': signature }
    const answer = await fetch(`${gateway.adminUrl}/keys/notices`, { method: 'POST', headers, body })
    return { status: answer.status, body: await answer.json() }
  }
  const signatureOf = (body: string) => sign('sha256', Buffer.from(body), scanner.privateKey).toString('base64')
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const wrong = [
    '',
    'x',
    signatureOf(`${notice} `),
    sign('sha256', Buffer.from(notice), stranger.privateKey).toString('base64'),
  ]
  for (const signature of wrong) expect((await send(notice, signature)).status).toBe(401)
  expect((await ask(gateway, one.key)).status).toBe(200)
  expect(await send(notice, signatureOf(notice))).toEqual({ status: 200, body: { revoked: [one.id], unknown: [] } })
  expect([(await ask(gateway, one.key)).status, (await ask(gateway, other.key)).status]).toEqual([401, 200])
  const { records } = await read<{ records: object[] }>(gateway, 'history')
  expect(records).toContainEqual(
    expect.objectContaining({ kind: 'keyRevoke', by: 'secret scanner', reason: 'found at https://code.example/a/b' }),
  )
  // A name is public: who knows no more than that ends nothing.
  const madeUp = JSON.stringify([{ token: other.id + makeKey('live', (count) => new Uint8Array(count)).slice(17) }])
  expect(await send(madeUp, signatureOf(madeUp))).toMatchObject({ status: 200, body: { revoked: [] } })
  expect((await ask(gateway, other.key)).status).toBe(200)
  // Sent again, and sent by anybody, it writes nothing more: of what is refused there is one record for a source and a minute.
  expect((await send(notice, signatureOf(notice))).status).toBe(200)
  const after = await read<{ records: { kind: string }[] }>(gateway, 'history')
  const kinds = after.records.map(({ kind }) => kind).filter((kind) => /^(admin|keyRevoke|refused)$/.test(kind))
  expect(kinds.toSorted()).toEqual(['admin', 'admin', 'keyRevoke', 'refused'])
})
