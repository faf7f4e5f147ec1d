// The load test against the real gateway: it passes where nothing is lost, and finds exactly what was spoilt on purpose.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type CutoverPlan, cutover } from '../../load-tests/cutover.ts'
import type { FaultKind } from '../../load-tests/fault.ts'
import type { Report } from '../../load-tests/report.ts'
import { ownSite } from '../../load-tests/site.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cutover-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const unaborted = new AbortController().signal

function plan(part: Partial<CutoverPlan>): CutoverPlan {
  const logFile = join(folder, 'gateway.log')
  return { ratePerSecond: 75, seconds: 2, seed: 7, throughputSeconds: 0, logFile, say: () => {}, ...part }
}

/** @param env of the command; TMPDIR shows what it leaves behind. */
function command(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawn(process.execPath, ['bin/on-node-24.js', 'load-tests/main.ts', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

describe('npm run load-test -- cutover', () => {
  it('moves the route there and back under load without a loss, says so, and leaves nothing behind', async () => {
    const json = join(folder, 'report', 'cutover.json')
    const scratch = await mkdtemp(join(folder, 'scratch-'))
    const options = ['--rate', '100', '--seconds', '6', '--seed', '1', '--json', json]
    const child = command(['cutover', ...options], { TMPDIR: scratch })
    const ended = once(child, 'close')
    const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
    expect({ code: (await ended)[0], complaints }).toEqual({ code: 0, complaints: '' })
    const report = JSON.parse(await readFile(json, 'utf8')) as Report
    expect(report).toMatchObject({ verdict: 'passed', exitCode: 0, reasons: [], findings: [], errors: [] })
    expect(report.facts).toMatchObject({ lost: 0, doubled: 0, wrongSide: 0, errors: 0, unsent: 0 })
    expect(report.facts.requests).toBeGreaterThan(500)
    expect(report.flips.map(({ stage, revision }) => ({ stage, revision }))).toEqual([
      { stage: 'live', revision: 2 },
      { stage: 'legacy', revision: 3 },
    ])
    const answeredBy = report.phases.slice(0, 3).map(({ movingAnsweredBy }) => Object.keys(movingAnsweredBy))
    expect(answeredBy).toEqual([['monolith'], ['search'], ['monolith']])
    expect(report.phases.reduce((sum, { requests }) => sum + requests, 0)).toBe(report.facts.requests)
    expect(report.throughput[0]?.requestsPerSecond).toBeGreaterThan(0)
    expect(out).toContain(`PASSED: ${report.facts.requests} requests, 0 lost, 0 doubled, 0 on the wrong side, 0 errors`)
    expect(await readdir(scratch)).toEqual([])
  })

  it('stops what it started and removes what it made when it is interrupted', async () => {
    const scratch = await mkdtemp(join(folder, 'scratch-'))
    const json = join(folder, 'interrupted.json')
    const child = command(['cutover', '--rate', '20', '--seconds', '15', '--json', json], { TMPDIR: scratch })
    const ended = once(child, 'close')
    const complaints = text(child.stderr)
    for await (const line of createInterface({ input: child.stdout }))
      if (line.includes('1 s  legacy')) child.kill('SIGINT')
    expect({ code: (await ended)[0], complaints: await complaints }).toEqual({
      code: 2,
      complaints: 'load-test: interrupted\n',
    })
    expect(await readdir(scratch)).toEqual([])
  })
})

describe('a cutover', () => {
  const run = async (fault: FaultKind) => {
    const report = await cutover(plan({ fault }), unaborted)
    const ids = (kind: string) =>
      report.findings
        .filter((finding) => finding.kind === kind)
        .map(({ id }) => id)
        .sort()
    expect(report.fault?.injected).toBeGreaterThanOrEqual(5)
    return { report, ids, spoilt: [...(report.fault?.ids ?? [])].sort() }
  }

  it('finds exactly the answers that were dropped, as lost although they ran, and fails', async () => {
    const { report, ids, spoilt } = await run('drop')
    expect(report).toMatchObject({ verdict: 'failed', exitCode: 1 })
    expect(ids('lost')).toEqual(spoilt)
    expect(report.facts).toMatchObject({ lost: spoilt.length, doubled: 0, wrongSide: 0, errors: spoilt.length })
    expect(report.findings.every((finding) => finding.kind === 'lost' && finding.reached)).toBe(true)
  })

  it('finds exactly the answers that were cut, as truncated and lost, and fails', async () => {
    const { report, ids, spoilt } = await run('truncate')
    expect(report).toMatchObject({ verdict: 'failed', exitCode: 1 })
    expect(ids('lost')).toEqual(spoilt)
    expect(report.errors.map(({ outcome }) => outcome)).toEqual(spoilt.map(() => 'truncated'))
    expect(report.facts).toMatchObject({ lost: spoilt.length, doubled: 0, wrongSide: 0 })
  })

  it('finds exactly the requests that ran twice, although every client was content, and fails', async () => {
    const { report, ids, spoilt } = await run('double')
    expect(report).toMatchObject({ verdict: 'failed', exitCode: 1 })
    expect(ids('doubled')).toEqual(spoilt)
    expect(report.facts).toMatchObject({ lost: 0, doubled: spoilt.length, wrongSide: 0 })
  })

  it('at a given site edits its routes file, and puts it back byte for byte', async () => {
    const site = await ownSite({ route: 'search', logFile: join(folder, 'given.log') })
    try {
      const before = `${await readFile(site.configFile, 'utf8')}\n\n# kept\n`
      await writeFile(site.configFile, before)
      const report = await cutover(plan({ given: site }), unaborted)
      expect(report).toMatchObject({ verdict: 'passed', exitCode: 0 })
      expect(report.flips).toHaveLength(2)
      expect(await readFile(site.configFile, 'utf8')).toBe(before)
    } finally {
      await site.close()
    }
  })

  it('at a site that is not there measures nothing and says what is missing', async () => {
    const configFile = join(folder, 'routes.yaml')
    await writeFile(configFile, 'upstreams: {}\nroutes: []\n')
    const given = { gateway: 'http://127.0.0.1:1', admin: 'http://127.0.0.1:1', configFile }
    await expect(cutover(plan({ given }), unaborted)).rejects.toThrow('no route "search" with a move')
  })
})
