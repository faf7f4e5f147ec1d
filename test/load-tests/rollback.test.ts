// The rollback run against the real gateway: it passes where the guard does its work, and fails where the guard is blind.
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RollbackPlan } from '../../load-tests/rollback/plan.ts'
import type { Report } from '../../load-tests/rollback/report.ts'
import { rollback } from '../../load-tests/rollback/rollback.ts'
import { doubtsOf, loadTest, unaborted } from './short-run.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollback-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** At a modest rate more must fail, or the guard could not be sure within so few seconds. */
function shortRun(part: Partial<RollbackPlan>): RollbackPlan {
  const pace = { ratePerSecond: 80, seconds: 10, seed: 7 }
  const fault = { fault: 'errors', faultShare: 0.5, withinMs: undefined } as const
  return { ...pace, ...fault, logFile: join(folder, 'gateway.log'), say: () => {}, ...part }
}

/** Each starts five processes before its seconds begin. */
const long = { timeout: 180_000 }

describe('a rollback run', long, () => {
  it('sees the guard take back a candidate that fails, for good, and nothing of it reach a client afterwards', async () => {
    const report = await rollback(shortRun({}), unaborted)
    expect(report.facts).toMatchObject({
      ...{ verdictBefore: 'pass', decidedBy: 'guard', failuresAfter: 0, flipped: 0 },
      ...{ lost: 0, doubled: 0, wrongSide: 0, unexplained: 0 },
      restart: { isStillRolledBack: true, audit: { hasRollback: true, isSound: true } },
    })
    const { facts, phases } = report
    expect(facts.planted).toBeGreaterThan(5)
    expect(facts.decidedAfterMs).toBeGreaterThan(0)
    expect(facts.visitors).toBeGreaterThan(20)
    expect(facts.restart?.asked).toBeGreaterThan(10)
    expect(facts.restart?.answeredByOldSide).toBe(facts.restart?.asked)
    expect(phases.map(({ name, answeredBy }) => [name, Object.keys(answeredBy).sort()])).toMatchObject([
      ['clean', ['monolith', 'search']],
      // A busy machine may let it fail for less time than an answer takes; how much was spoilt is counted above.
      ['failing', expect.anything()],
      ['under way', expect.anything()],
      ['rolled back', expect.arrayContaining(['monolith'])],
    ])
    // A busy machine's old side may leave the gateway to answer for it; the candidate never answers again.
    expect(phases.at(-1)?.answeredBy).not.toHaveProperty('search')
    expect(phases.reduce((sum, { requests }) => sum + requests, 0)).toBe(facts.requests)
    expect({ verdict: report.verdict, doubts: doubtsOf(report) }).toEqual({
      verdict: report.reasons.length > 0 ? 'inconclusive' : 'passed',
      doubts: [],
    })
  })

  it('fails when the guard is blind to the failures', async () => {
    const guard = { failuresInARow: 10_000, moreErrorsThanOld: '100%' }
    const report = await rollback(shortRun({ guard, seconds: 6 }), unaborted)
    expect(report).toMatchObject({ verdict: 'failed', exitCode: 1, times: { decided: null } })
    expect(report.reasons[0]).toBe(`not rolled back, although ${report.facts.planted} of its answers were spoilt`)
    expect(report.facts).toMatchObject({ decidedBy: null, unexplained: 0, lost: 0, doubled: 0, restart: null })
    expect(report.facts.failuresBefore).toBe(report.facts.planted)
  })

  it('is no pass when the candidate never fails', async () => {
    const report = await rollback(shortRun({ faultShare: 0, seconds: 3 }), unaborted)
    expect(report).toMatchObject({ verdict: 'inconclusive', exitCode: 3, hits: [] })
    expect(report.reasons).toContain('no answer of the candidate was spoilt: there was nothing to be seen')
  })
})

describe('npm run load-test -- rollback', long, () => {
  it('writes its report, says what it found, and leaves nothing behind', async () => {
    const json = join(folder, 'report', 'rollback.json')
    const scratch = await mkdtemp(join(folder, 'scratch-'))
    const options = ['--fault', 'notFound', '--rate', '80', '--seconds', '10', '--seed', '7', '--json', json]
    const child = loadTest(['rollback', ...options], { TMPDIR: scratch })
    const ended = once(child, 'close')
    const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
    const report = JSON.parse(await readFile(json, 'utf8')) as Report
    const { facts, settings, verdict, exitCode } = report
    expect({ code: (await ended)[0], complaints, doubts: doubtsOf(report) }).toEqual({
      ...{ code: exitCode, complaints: '', doubts: [] },
    })
    expect(settings).toMatchObject({ fault: 'notFound', faultShare: 1, ratePerSecond: 80, seconds: 10, seed: 7 })
    expect(out).toContain('search begins to fail')
    expect(out).toContain(
      `${verdict.toUpperCase()}: ${facts.requests} requests, rolled back after ${facts.decidedAfterMs} ms, 0 failures after it`,
    )
    expect(await readdir(scratch)).toEqual([])
  })
})
