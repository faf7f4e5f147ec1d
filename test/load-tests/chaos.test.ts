// The chaos scenario in its short form: all of the fault matrix, and the rest with few requests.
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UsageError } from '../../load-tests/arguments.ts'
import { runBusy } from '../../load-tests/chaos/always503.ts'
import { complaintOf, isAsExpected, runMatrix } from '../../load-tests/chaos/matrix.ts'
import { readOptions } from '../../load-tests/chaos/plan.ts'
import { runResets } from '../../load-tests/chaos/resets.ts'
import { type DeadMeasured, judgeDead, judgeResets } from '../../load-tests/chaos/verdict.ts'
import { cells, deeds, requests } from '../../load-tests/chaosTable.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { loadTest } from './short-run.ts'

describe('the fault matrix', () => {
  it('has every deed with every request, both states of the breaker, with and without fallback', () => {
    const keys = cells.map(({ deed, request, before, hasFallback }) => [deed, request, before, hasFallback].join())
    expect(new Set(keys).size).toBe(deeds.length * requests.length * 2 * 2)
    expect(keys).toHaveLength(new Set(keys).size)
  })

  it('is as the table says: each answer, the hits at both sides, and the breaker', async () => {
    const results = await runMatrix(startTestGateway)
    expect(results.filter((result) => !isAsExpected(result)).map(complaintOf)).toEqual([])
    expect(results).toHaveLength(cells.length)
  })
})

describe('500 POSTs to a side that breaks connections at random', () => {
  it('run at most once each, and those that are answered well have run', async () => {
    const report = await runResets({ posts: 500, seed: 7 }, startTestGateway)
    expect(report).toMatchObject({ posts: 500, ranTwice: [], lost: [] })
    const { answers, deeds } = report
    for (const deed of ['resetBeforeBody', 'vanish', 'reset', 'halfHead', 'midBody', 'resetAfterAnswer'])
      expect(deeds[deed], deed).toBeGreaterThan(0)
    for (const answer of ['200 new', '200 old', '502 Reset', '200 new!'])
      expect(answers[answer], answer).toBeGreaterThan(0)
  })

  it('would be seen to run twice: the file may say that they may', async () => {
    const report = await runResets({ posts: 200, seed: 7, listed: ['POST'] }, startTestGateway)
    expect(report.ranTwice.length).toBeGreaterThan(5)
  })
})

describe('a side that always says 503', () => {
  it('is hit once by each request, whatever its method, with retries and with and without fallback', async () => {
    expect(await runBusy(25, startTestGateway)).toEqual({ requests: 200, complaints: [] })
  })
})

describe('a dead service under load', () => {
  it('is answered for, every answer whole; the figures are printed and reported', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'chaos-test-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const json = join(folder, 'chaos.json')
    const small = { only: 'dead', rounds: '1', seconds: '1', rate: '60', seed: '7', json }
    const child = loadTest(['chaos', ...Object.entries(small).flatMap(([name, value]) => [`--${name}`, value])])
    const ended = once(child, 'close')
    const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
    expect(complaints).toBe('')
    // What it measures is not judged here: the machine is shared with other tests.
    expect([0, 1]).toContain((await ended)[0])
    const { reports } = JSON.parse(await readFile(json, 'utf8'))
    expect(reports).toMatchObject([{ part: 'dead', measured: { notOk: 0, unsent: 0, isOpen: true } }])
    expect(reports[0].measured.fellBack).toBeGreaterThan(60)
    expect(out).toMatch(/: dead\n {2}p99: fallback against plain .* ms/)
  })

  const measured = (part: Partial<DeadMeasured>): DeadMeasured => ({
    rounds: [{ off: [10, 12], on: 14 }],
    isOpen: true,
    fellBack: 40,
    requests: 100,
    notOk: 0,
    unsent: 0,
    ...part,
  })

  it.each<[string, Partial<DeadMeasured>, string]>([
    ['passed by what stays within plain against plain and two milliseconds', {}, 'passed'],
    ['failed by a p99 beyond it', { rounds: [{ off: [10, 12], on: 15.1 }] }, 'failed'],
    ['failed by one answer that was not right', { notOk: 1 }, 'failed'],
    ['not decided by a client that did not keep up', { unsent: 1 }, 'inconclusive'],
    ['not decided while the breaker is closed', { isOpen: false }, 'inconclusive'],
    ['not decided where nobody fell back', { fellBack: 3 }, 'inconclusive'],
  ])('is %s', (_what, part, result) => {
    expect(judgeDead(measured(part)).result).toBe(result)
  })
})

describe('its options and verdicts', () => {
  it('are all five parts, or the one that is named; a mistyped one is refused', () => {
    expect(readOptions([], 1).plan).toMatchObject({
      parts: ['matrix', 'resets', 'busy', 'dead', 'cache'],
      posts: 10_000,
      rounds: 7,
    })
    expect(readOptions(['--only', 'busy'], 1).plan.parts).toEqual(['busy'])
    for (const args of [
      ['--only', 'nothing'],
      ['--posts', '0'],
      ['--round', '1'],
    ])
      expect(() => readOptions(args, 1)).toThrow(UsageError)
  })

  it('fail what ran twice, and do not pass a side that broke nothing', () => {
    const report = { posts: 9, deeds: { reset: 1 }, answers: { '200 old': 1 }, ranTwice: [], lost: [] }
    expect(judgeResets(report).result).toBe('passed')
    expect(judgeResets({ ...report, ranTwice: ['one'] })).toMatchObject({
      result: 'failed',
      reasons: ['ran twice: one'],
    })
    expect(judgeResets({ ...report, lost: ['one'] }).result).toBe('failed')
    expect(judgeResets({ ...report, deeds: { answer: 9 } }).result).toBe('inconclusive')
  })
})
