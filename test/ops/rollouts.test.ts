// The admin API of the rollouts, at a gateway that serves.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { TestGateway } from '../harness/gateway.ts'
import { movingSite, whoAnswers } from '../harness/moves.ts'

const { routes, start } = movingSite()

/** Whatever JSON the listener answers; the expectations say which. */
type Body = ReturnType<typeof JSON.parse>

async function get({ adminUrl }: TestGateway, path: string) {
  const response = await fetch(adminUrl + path)
  return { status: response.status, body: (await response.json()) as Body }
}

async function order({ adminUrl }: TestGateway, path: string, body?: object, by = '1') {
  const response = await fetch(adminUrl + path, {
    method: 'POST',
    headers: { 'Banyan-Admin': by, ...(body && { 'Content-Type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: response.status, type: response.headers.get('content-type'), body: (await response.json()) as Body }
}

test('a rollback sends the next request to the old side, and an ack ends it', async () => {
  const gateway = await start(routes('stage: live'))
  expect(await whoAnswers(gateway, '/search')).toBe('new')
  const rolledBack = await order(gateway, '/rollouts/search/rollback', { reason: 'it lies' }, 'cli:ada')
  expect(rolledBack).toMatchObject({
    status: 200,
    body: {
      key: 'search',
      routes: [{ name: 'search', from: 'old', to: 'new' }],
      declared: { stage: 'live', share: '100%' },
      effective: { stage: 'legacy', share: '0%', why: 'rollback', reason: 'it lies' },
      overrides: { rollback: { by: 'cli:ada', reason: 'it lies' } },
    },
  })
  expect(await whoAnswers(gateway, '/search')).toBe('old')
  const { hints, routes: shown } = (await get(gateway, '/status')).body
  expect(hints[0]).toMatch(/^"search" was rolled back by cli:ada at 20.*\(it lies\).*banyan ack search$/)
  expect(shown[0]).toMatchObject({ stage: 'live', effective: { stage: 'legacy', why: 'rollback' } })
  expect(await gateway.metric('banyan_rollout_overridden{rollout="search"}')).toBe(1)
  expect(await gateway.metric('banyan_rollout_stage{rollout="search"}')).toBe(0)
  expect(await order(gateway, '/rollouts/search/ack')).toMatchObject({ status: 200, body: { overrides: {} } })
  expect(await whoAnswers(gateway, '/search')).toBe('new')
  expect(await gateway.metric('banyan_rollout_share_ratio{rollout="search"}')).toBe(1)
})

test('what goes back although it took writes is counted, and asks for a word', async () => {
  const gateway = await start(routes('stage: live'))
  await whoAnswers(gateway, '/orders', { method: 'POST', body: 'one' })
  await whoAnswers(gateway, '/orders', { method: 'DELETE' })
  await whoAnswers(gateway, '/orders')
  const refused = await order(gateway, '/rollouts/orders/rollback')
  expect(refused).toMatchObject({
    status: 409,
    type: 'application/problem+json; charset=utf-8',
    body: { title: 'This would lose writes.', writesTaken: { total: 2, byRoute: { orders: 2 } } },
  })
  expect(refused.body.detail).toContain('has taken 2 writes')
  expect(await whoAnswers(gateway, '/orders')).toBe('new')
  expect(await order(gateway, '/rollouts/orders/rollback', { acceptLoss: true })).toMatchObject({ status: 200 })
  expect(await whoAnswers(gateway, '/orders')).toBe('old')
})

test('a rollback of all rolls back what it may, and says what it may not', async () => {
  const gateway = await start(routes('stage: live'))
  expect(await order(gateway, '/rollback')).toMatchObject({
    status: 409,
    body: {
      rollouts: [
        { key: 'search', result: 'rolledBack' },
        { key: 'orders', result: 'refused' },
      ],
    },
  })
  expect(await order(gateway, '/rollback', { acceptLoss: true, reason: 'all of it' })).toMatchObject({
    status: 200,
    body: {
      rollouts: [
        { key: 'search', result: 'already' },
        { key: 'orders', result: 'rolledBack' },
      ],
    },
  })
  expect(await whoAnswers(gateway, '/orders')).toBe('old')
})

test('a promotion needs a verdict, or to be forced with a reason', async () => {
  const gateway = await start(routes('stage: canary, share: 1%, steps: [1%, 100%]'))
  const refused = await order(gateway, '/rollouts/search/promote')
  expect(refused).toMatchObject({ status: 409, body: { title: 'The order is refused.' } })
  expect(refused.body.detail).toContain('nothing speaks for canary 100% yet: there is no verdict')
  expect(await order(gateway, '/rollouts/search/promote', { force: true })).toMatchObject({ status: 409 })
  const forced = await order(gateway, '/rollouts/search/promote', { force: true, reason: 'seen it on stage' })
  expect(forced).toMatchObject({ status: 200, body: { effective: { stage: 'canary', share: '100%', why: 'advance' } } })
  expect(await whoAnswers(gateway, '/search', { headers: { cookie: 'SESSION=ada' } })).toBe('new')
  const live = await order(gateway, '/rollouts/search/promote', { force: true, reason: 'all good' })
  expect(live.body.effective).toMatchObject({ stage: 'live', share: '100%' })
  const further = await order(gateway, '/rollouts/search/promote', { force: true, reason: 'all good' })
  expect(further).toMatchObject({ status: 409, body: { detail: expect.stringContaining('--to final') } })
})

test('to be looked at needs no evidence; a pause holds it there until it is resumed', async () => {
  const gateway = await start(routes('stage: legacy'))
  expect((await order(gateway, '/rollouts/search/promote')).body.effective).toMatchObject({ stage: 'shadow' })
  expect((await order(gateway, '/rollouts/search/pause')).body.effective).toMatchObject({ why: 'pause' })
  const held = await order(gateway, '/rollouts/search/promote', { to: '5%', force: true, reason: 'now' })
  expect(held).toMatchObject({ status: 409, body: { detail: expect.stringContaining('banyan resume search') } })
  expect((await order(gateway, '/rollouts/search/resume')).body.effective).toMatchObject({ why: 'advance' })
  expect((await get(gateway, '/rollouts')).body.rollouts.map(({ key }: { key: string }) => key)).toEqual([
    'search',
    'orders',
  ])
})

test('what was rolled back or paused is not promoted, and the sentence says what comes first', async () => {
  const gateway = await start(routes('stage: live'))
  await order(gateway, '/rollouts/search/rollback')
  const refused = await order(gateway, '/rollouts/search/promote', { to: '5%' })
  expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('banyan ack search') } })
})

test('a group is moved by its name or by that of any of its routes, as one', async () => {
  const moving = (name: string) =>
    `  - { name: ${name}, match: { path: /${name}, methods: [GET] }, group: g, move: { to: new } }`
  const groups = 'groups: { g: { stage: live } }'
  const gateway = await start(routes('stage: live', 'stage: live', `${moving('a')}\n${moving('b')}\n${groups}\n`))
  const back = await order(gateway, '/rollouts/b/rollback')
  expect(back.body).toMatchObject({ key: 'g', of: 'group', routes: [{ name: 'a' }, { name: 'b' }] })
  expect([await whoAnswers(gateway, '/a'), await whoAnswers(gateway, '/b')]).toEqual(['old', 'old'])
  expect((await get(gateway, '/history?rollout=a')).body.records).toMatchObject([{ kind: 'rollback', subject: 'g' }])
})

test('what is not understood is refused, and changes nothing', async () => {
  const gateway = await start(routes('stage: live'))
  expect(await order(gateway, '/rollouts/serach/rollback')).toMatchObject({ status: 404 })
  expect((await get(gateway, '/rollouts/serach')).body.detail).toContain('those that do are search, orders')
  expect(await order(gateway, '/rollouts/search/rollback', { acceptloss: true })).toMatchObject({ status: 400 })
  expect(await order(gateway, '/rollouts/search/rollback', { by: 'x'.repeat(65) })).toMatchObject({ status: 400 })
  expect(await order(gateway, '/rollouts/search/promote', { to: 'lively', force: true })).toMatchObject({ status: 409 })
  expect((await fetch(`${gateway.adminUrl}/rollouts/search/rollback`, { method: 'POST' })).status).toBe(403)
  const got = await fetch(`${gateway.adminUrl}/rollouts/search/rollback`)
  expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST'])
  expect(await whoAnswers(gateway, '/search')).toBe('new')
})

test('history tells the start, each order and each edit, of all or of one', async () => {
  const gateway = await start(routes('stage: live'))
  await order(gateway, '/rollouts/search/rollback', { by: 'ada', reason: 'it lies' })
  await gateway.rewrite(routes('stage: live', 'stage: shadow'))
  await gateway.line(({ rollout }) => rollout === 'orders')
  const all = (await get(gateway, '/history?since=1h')).body.records
  expect(all.map(({ kind, subject }: Record<string, string>) => [kind, subject])).toEqual([
    ['start', undefined],
    ['reload', undefined],
    ['rollback', 'search'],
    ['admin', 'POST /rollouts/search/rollback'],
    ['stage', 'orders'],
    ['reload', undefined],
  ])
  const one = (await get(gateway, '/history?rollout=search')).body.records
  expect(one).toMatchObject([{ by: 'local:ada', from: 'live', to: 'legacy', reason: 'it lies', revision: 1 }])
  expect((await get(gateway, '/history?limit=1')).body.records).toHaveLength(1)
  expect((await get(gateway, '/history?since=yesterday')).status).toBe(400)
  for (const since of ['999999999d', '-271821-04-20T00:00:00Z'])
    expect((await get(gateway, `/history?since=${since}`)).body.records).toHaveLength(all.length)
  const told = await gateway.line(({ rollout }) => rollout === 'search')
  expect(told).toMatchObject({ level: 'warn', by: 'local:ada', from: 'live', to: 'legacy', reason: 'it lies' })
})

test('a plan tells what an edit would move, and serves nothing of it', async () => {
  const gateway = await start(routes('stage: canary, share: 10%'))
  for (let i = 0; i < 6; i += 1) await whoAnswers(gateway, '/search')
  const edited = routes('stage: live', 'stage: shadow', '  - { name: extra, match: { path: /extra }, upstream: new }')
  const response = await fetch(`${gateway.adminUrl}/plan`, {
    method: 'POST',
    headers: { 'Banyan-Admin': '1' },
    body: `public: { host: 127.0.0.1, port: 0 }\nprobes: { host: 127.0.0.1, port: 0 }\nadmin: { host: 127.0.0.1, port: 0 }\n${edited}`,
  })
  const plan = (await response.json()) as Body
  expect(plan).toMatchObject({
    accepted: true,
    revision: 1,
    difference: {
      added: ['extra'],
      removed: [],
      changed: [
        { name: 'search', keys: ['move.stage', 'move.share'] },
        { name: 'orders', keys: ['move.stage'] },
      ],
      otherKeys: [],
    },
    moves: [
      { key: 'search', from: { stage: 'canary', share: '10%' }, to: { stage: 'live', share: '100%' } },
      { key: 'orders', from: { stage: 'live' }, to: { stage: 'shadow' }, rollback: [] },
    ],
  })
  const [search] = plan.moves
  expect(search.movedPerMinute).toBe(Math.round(search.requestsPerMinute * 0.9))
  expect(search.rollback).toEqual([
    { upstream: 'old', returns: search.requestsPerMinute, after: expect.any(Number), most: expect.any(Number) },
  ])
  expect((await get(gateway, '/status')).body).toMatchObject({ revision: 1 })
  expect(await whoAnswers(gateway, '/orders')).toBe('new')
})

test('a broken glass goes before everything, without the admin listener', async () => {
  const gateway = await start(routes('stage: live'))
  const file = join(gateway.folder, 'var', 'break-glass.yaml')
  await writeFile(file, 'legacy: [search, serach]\n')
  expect(await gateway.line(({ rollout }) => rollout === 'search')).toMatchObject({ msg: 'rollout breakGlass' })
  expect(await whoAnswers(gateway, '/search')).toBe('old')
  const { hints } = (await get(gateway, '/status')).body
  expect(hints.join('\n')).toContain('"search" is held by break-glass.yaml')
  expect(hints.join('\n')).toContain('no route or group is called "serach"')
  const promoted = await order(gateway, '/rollouts/search/promote', { force: true, reason: 'no' })
  expect(promoted).toMatchObject({ status: 409, body: { detail: expect.stringContaining('break-glass.yaml') } })
})
