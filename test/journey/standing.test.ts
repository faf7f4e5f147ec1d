// The log says of each request where its move stood for it, and what had decided that.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestGateway } from '../harness/gateway.ts'
import type { Line } from '../harness/lines.ts'
import { ask, newStateDir, type Sides, startBetween, startSides } from './sides.ts'

let sides: Sides

beforeAll(async () => {
  sides = await startSides()
})
afterAll(() => sides.close())

function yaml(move: string): string {
  return `${sides.yaml.replace('accessLog: off', '')}
routes:
  - { name: search, match: { path: /search/* }, move: { to: new, writesSurviveRollback: true, ${move} } }
`
}

/** Its line. */
async function standingOf(gateway: TestGateway, id: string, path = '/search/x'): Promise<Line> {
  await ask(gateway, path, { fields: { 'X-Request-Id': id } })
  return gateway.line((line) => line.id === id)
}

async function order(gateway: TestGateway, name: string): Promise<void> {
  const headers = { 'Banyan-Admin': 'cli:ada', 'Content-Type': 'application/json' }
  const body = JSON.stringify({ reason: 'a test' })
  const response = await fetch(`${gateway.adminUrl}/rollouts/search/${name}`, { method: 'POST', headers, body })
  expect(response.status).toBe(200)
}

test('the file, a pause and a rollback are told apart, of requests that fail too', async () => {
  const gateway = await startBetween(yaml('stage: live, fallback: none'))
  expect(await standingOf(gateway, 'by-the-file')).toMatchObject({ stage: 'live', effective: 'live', why: 'file' })
  const failed = await standingOf(gateway, 'that-failed', '/search/cut')
  expect(failed).toMatchObject({ failure: 'upstreamReset', effective: 'live', why: 'file' })
  await order(gateway, 'rollback')
  const back = await standingOf(gateway, 'rolled-back')
  expect(back).toMatchObject({ stage: 'live', effective: 'legacy', why: 'rollback', side: 'old' })
  await order(gateway, 'ack')
  await gateway.rewrite(yaml('stage: shadow'))
  await order(gateway, 'pause')
  await gateway.rewrite(yaml('stage: live'))
  const paused = await standingOf(gateway, 'is-paused')
  expect(paused).toMatchObject({ stage: 'live', effective: 'shadow', why: 'pause', side: 'old' })
})

test('the broken glass is told, and what does not move has no standing', async () => {
  const stateDir = await newStateDir()
  await writeFile(join(stateDir, 'break-glass.yaml'), 'legacy: all\n')
  const gateway = await startBetween(yaml('stage: live'), stateDir)
  const broken = await standingOf(gateway, 'broken-glass')
  expect(broken).toMatchObject({ stage: 'live', effective: 'legacy', why: 'breakGlass' })
  const unmatched = await standingOf(gateway, 'unmatched-1', '/elsewhere')
  expect(unmatched).not.toHaveProperty('effective')
  expect(unmatched).not.toHaveProperty('why')
})
