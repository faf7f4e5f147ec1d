// What speaks for a promotion, and what an order is worth that cannot be written down.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { RolloutDeclaration } from '../../gateway/model.ts'
import { createAdmin } from '../../gateway/ops/admin.ts'
import type { Compared, Evidence, Verdict } from '../../gateway/ops/gateway.ts'
import { createHealth } from '../../gateway/ops/health.ts'
import { createMetrics } from '../../gateway/ops/metrics.ts'
import { createRollouts } from '../../gateway/state/rollouts.ts'
import { newFolder } from '../harness/process.ts'
import { rolloutOf } from '../rollout/declared.ts'
import { frozenClock, gatewayOf, snapshotOf } from './world.ts'

const open: { close(): Promise<unknown> }[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

interface More {
  readonly stateDir?: string
  readonly rollout?: RolloutDeclaration
  readonly compared?: Compared
}

/** An admin listener over one canary of 10 % that began at 03:04:05, and what is known of it. */
async function startAdmin(verdict?: Partial<Verdict>, { stateDir, rollout = canary, compared }: More = {}) {
  const clock = frozenClock()
  const rollouts = createRollouts(clock.wall, () => {})
  if (stateDir !== undefined) await rollouts.open(stateDir)
  rollouts.declare(snapshotOf({ rollouts: new Map([['search', rollout]]) }))
  const evidence: Evidence = {
    verdictOf: () =>
      verdict && { result: 'pass', reasons: [], control: 'oldSide', checkedAt: clock.wall(), ...verdict },
    comparedOf: () => compared ?? { compared: 200, mismatched: 1 },
  }
  const app = await createAdmin({
    gateway: gatewayOf({ rollouts, evidence }),
    health: createHealth(clock),
    metrics: createMetrics({ version: '1.2.3' }),
    clock,
  })
  open.push(app)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return async (order: string, body: object = {}) => {
    const headers = { 'Banyan-Admin': 'ada', 'Content-Type': 'application/json' }
    const response = await fetch(`${url}/rollouts/search/${order}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as ReturnType<typeof JSON.parse> }
  }
}

const canary = rolloutOf('search', { stage: 'canary', shareBasisPoints: 1000 })

test('a pass takes it to live, and what was passed is shown', async () => {
  const order = await startAdmin({ result: 'pass' })
  expect(await order('promote')).toMatchObject({
    status: 200,
    body: {
      effective: { stage: 'live', why: 'advance' },
      verdict: { result: 'pass', control: 'oldSide', checkedAt: '2026-01-02T03:04:05.000Z' },
      compared: { compared: 200, mismatched: 1 },
      overrides: { advance: { by: 'local:ada', evidence: { verdict: 'pass', control: 'oldSide' } } },
    },
  })
})

test.for([
  ['nothing is known', undefined, 'there is no verdict'],
  ['too little was seen', { result: 'inconclusive', reasons: ['few requests'] }, 'inconclusive, few requests'],
  ['it fails', { result: 'fail' }, 'fail'],
  ['it is an alarm', { result: 'alarm' }, 'alarm'],
  ['it passed before it came to stand there', { checkedAt: Date.parse('2026-01-02T03:04:04Z') }, 'there is no verdict'],
] as const)('nothing speaks for a promotion when %s', async ([_when, verdict, why]) => {
  const order = await startAdmin(verdict && { ...verdict })
  const refused = await order('promote')
  expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining(`yet: ${why}`)])
})

test.for([
  ['enough of them are alike', { compared: 100, mismatched: 1 }, {}, 200],
  ['too few were compared', { compared: 99, mismatched: 0 }, {}, 409],
  ['too many differ', { compared: 100, mismatched: 2 }, {}, 409],
  ['the guard allows as many', { compared: 100, mismatched: 5 }, { maxMismatchShare: 0.05 }, 200],
] as const)('before a canary compared answers speak: %s', async ([_when, compared, guard, status]) => {
  const shadow = rolloutOf('search', { stage: 'shadow' })
  const order = await startAdmin(undefined, { rollout: { ...shadow, guard: { ...shadow.guard, ...guard } }, compared })
  expect(await order('promote', { to: '5%' })).toMatchObject({ status })
})

test('what is forced is recorded as forced', async () => {
  const order = await startAdmin({ result: 'fail' })
  const forced = await order('promote', { to: '20%', force: true, reason: 'a test of ours' })
  expect(forced.body.overrides.advance).toMatchObject({
    reason: 'a test of ours',
    evidence: { forced: true, verdict: 'fail' },
  })
})

test('a step back is no promotion', async () => {
  const order = await startAdmin({ result: 'pass' })
  for (const to of ['5%', '10%', 'shadow']) expect(await order('promote', { to })).toMatchObject({ status: 409 })
})

test('an order that is in effect but cannot be written down says so', async () => {
  const stateDir = await newFolder()
  await writeFile(join(stateDir, 'file'), '')
  const order = await startAdmin(undefined, { stateDir: join(stateDir, 'file') })
  expect(await order('rollback')).toMatchObject({
    status: 500,
    body: { title: 'This is in effect, but not written down: a restart would forget it.' },
  })
  expect((await order('pause')).status).toBe(500)
})
