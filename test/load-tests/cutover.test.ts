// The load test against the real gateway: it passes where nothing is lost, and leaves everything as it was.
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cutover } from '../../load-tests/cutover.ts'
import type { Report } from '../../load-tests/report.ts'
import { withStage } from '../../load-tests/routes-file.ts'
import { ownSite } from '../../load-tests/site.ts'
import { doubtsOf, loadTest, shortRun, unaborted } from './short-run.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cutover-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** It passed, or would have if the machine had let its client keep up. */
function expectNoLoss(report: Report): void {
  const { verdict, exitCode, findings, errors } = report
  const isDoubted = report.reasons.length > 0
  expect({ verdict, exitCode, doubts: doubtsOf(report), findings, errors }).toEqual({
    verdict: isDoubted ? 'inconclusive' : 'passed',
    exitCode: isDoubted ? 3 : 0,
    doubts: [],
    findings: [],
    errors: [],
  })
}

describe('npm run load-test -- cutover', () => {
  it('moves the route there and back under load without a loss, says so, and leaves nothing behind', async () => {
    const json = join(folder, 'report', 'cutover.json')
    const scratch = await mkdtemp(join(folder, 'scratch-'))
    const options = ['--rate', '100', '--seconds', '6', '--seed', '1', '--json', json]
    const child = loadTest(['cutover', ...options], { TMPDIR: scratch })
    const ended = once(child, 'close')
    const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
    const report = JSON.parse(await readFile(json, 'utf8')) as Report
    expect({ code: (await ended)[0], complaints }).toEqual({ code: report.exitCode, complaints: '' })
    expectNoLoss(report)
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
    expect(out).toContain(
      `${report.verdict.toUpperCase()}: ${report.facts.requests} requests, 0 lost, 0 doubled, 0 on the wrong side, 0 errors`,
    )
    expect(await readdir(scratch)).toEqual([])
  })

  it('stops what it started and removes what it made when it is interrupted', async () => {
    const scratch = await mkdtemp(join(folder, 'scratch-'))
    const json = join(folder, 'interrupted.json')
    const child = loadTest(['cutover', '--rate', '20', '--seconds', '15', '--json', json], { TMPDIR: scratch })
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
  it('at a given site edits its routes file, and puts it back byte for byte', async () => {
    const site = await ownSite({
      edit: (text) => withStage(text, 'search', 'legacy'),
      logFile: join(folder, 'given.log'),
    })
    try {
      const before = `${await readFile(site.configFile, 'utf8')}\n\n# kept\n`
      await writeFile(site.configFile, before)
      const report = await cutover(shortRun(folder, { given: site }), unaborted)
      // Two seconds may be over before a busy machine has moved the route: then it is no pass, and no loss either.
      expect(report).toMatchObject({ verdict: expect.not.stringContaining('failed'), findings: [], errors: [] })
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
    await expect(cutover(shortRun(folder, { given }), unaborted)).rejects.toThrow('no route "search" with a move')
  })
})
