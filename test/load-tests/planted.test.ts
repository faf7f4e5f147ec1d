// Planted losses: a load test that cannot find them proves nothing when it finds none.
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cutover } from '../../load-tests/cutover.ts'
import type { Report } from '../../load-tests/report.ts'
import { loadTest, shortRun, unaborted } from './short-run.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'planted-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** The ids that were spoilt on purpose, and those of one kind of finding. */
function compare(report: Report, kind: string) {
  const spoilt = [...(report.fault?.ids ?? [])].sort()
  expect(report.fault?.injected).toBe(spoilt.length)
  // About six, where the machine lets all be sent.
  expect(spoilt.length).toBeGreaterThanOrEqual(2)
  const found = report.findings.filter((finding) => finding.kind === kind).map(({ id }) => id)
  return { spoilt, found: found.sort() }
}

describe('a cutover', () => {
  it('finds exactly the answers that were dropped, as lost although they ran, and exits 1', async () => {
    const json = join(folder, 'drop.json')
    const child = loadTest([
      'cutover',
      '--fault',
      'drop',
      '--rate',
      '60',
      '--seconds',
      '3',
      '--seed',
      '7',
      '--json',
      json,
    ])
    const ended = once(child, 'close')
    const out = await text(child.stdout)
    expect((await ended)[0]).toBe(1)
    const report = JSON.parse(await readFile(json, 'utf8')) as Report
    const { spoilt, found } = compare(report, 'lost')
    expect(found).toEqual(spoilt)
    expect(report.facts).toMatchObject({ lost: spoilt.length, doubled: 0, wrongSide: 0, errors: spoilt.length })
    expect(report.findings.every((finding) => finding.kind === 'lost' && finding.reached)).toBe(true)
    expect(out).toContain(`FAILED: ${report.facts.requests} requests, ${spoilt.length} lost, 0 doubled`)
    expect(out).toContain(`drop: ${spoilt.length} requests were spoilt on purpose`)
  })

  it('finds exactly the answers that were cut, as truncated and lost, and fails', async () => {
    const report = await cutover(shortRun(folder, { fault: 'truncate' }), unaborted)
    const { spoilt, found } = compare(report, 'lost')
    expect(report).toMatchObject({ verdict: 'failed', exitCode: 1 })
    expect(found).toEqual(spoilt)
    expect(report.errors.map(({ outcome }) => outcome)).toEqual(spoilt.map(() => 'truncated'))
    expect(report.facts).toMatchObject({ lost: spoilt.length, doubled: 0, wrongSide: 0 })
  })

  it('finds exactly the requests that ran twice, although every client was content, and fails', async () => {
    const report = await cutover(shortRun(folder, { fault: 'double' }), unaborted)
    const { spoilt, found } = compare(report, 'doubled')
    expect(report).toMatchObject({ verdict: 'failed', exitCode: 1 })
    expect(found).toEqual(spoilt)
    expect(report.facts).toMatchObject({ lost: 0, doubled: spoilt.length, wrongSide: 0 })
  })
})
