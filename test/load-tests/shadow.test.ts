// The shadow scenario: that it runs and reports. What it measures is not judged here: the machine is shared with other tests.
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UsageError } from '../../load-tests/arguments.ts'
import { readOptions } from '../../load-tests/shadow/plan.ts'
import { judge, type Measured, median, mostGrowthBytes } from '../../load-tests/shadow/verdict.ts'
import { loadTest } from './short-run.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shadow-test-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('a short shadow run', () => {
  it('asks a flooding candidate, gets every answer whole, and reports', async () => {
    const json = join(folder, 'shadow.json')
    const args = [
      '--candidate',
      'flood',
      '--rounds',
      '1',
      '--seconds',
      '1',
      '--rate',
      '40',
      '--seed',
      '7',
      '--json',
      json,
    ]
    const child = loadTest(['shadow', ...args])
    const ended = once(child, 'close')
    const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
    expect(complaints).toBe('')
    expect([0, 1]).toContain((await ended)[0])
    const { reports } = JSON.parse(await readFile(json, 'utf8'))
    expect(reports).toMatchObject([{ candidate: 'flood', notOk: 0, unsent: 0, rounds: [{ on: expect.any(Number) }] }])
    expect(reports[0].requests).toBeGreaterThan(60)
    expect(reports[0].legs).toBeGreaterThan(10)
    expect(out).toMatch(/candidate flood, \d+ requests\n {2}p99 .* ms.*\n {2}memory .* MiB/)
  })
})

describe('the verdict', () => {
  const round = (off: readonly [number, number], on: number) => ({ off, on })
  const measured = (part: Partial<Measured>): Measured => ({
    rounds: [round([10, 12], 11), round([10, 11], 12), round([10, 13], 30)],
    growth: { off: 0, on: 0 },
    requests: 100,
    notOk: 0,
    unsent: 0,
    legs: 10,
    ...part,
  })

  it('passes what stays within off against off and a millisecond; one bad round of three decides nothing', () => {
    expect(judge(measured({}))).toEqual({ result: 'passed', reasons: [], differenceMs: 1.5, spreadMs: 2 })
  })

  it.each<[string, Partial<Measured>, string]>([
    ['a p99 beyond it', { rounds: [round([10, 11], 12.6)] }, 'failed'],
    ['an answer that was not right', { notOk: 1 }, 'failed'],
    ['memory beyond its bound', { growth: { off: 5, on: mostGrowthBytes + 6 } }, 'failed'],
    ['a client that did not keep up', { unsent: 1 }, 'inconclusive'],
    ['a candidate that nobody asked', { legs: 0 }, 'inconclusive'],
    ['a failure with holes', { notOk: 1, legs: 0 }, 'failed'],
  ])('does not pass %s', (_what, part, result) => {
    expect(judge(measured(part)).result).toBe(result)
    expect(judge(measured(part)).reasons.length).toBeGreaterThan(0)
  })

  it('takes the middle of what is sorted by size', () => {
    expect(median([10, 9, 100])).toBe(10)
    expect(median([])).toBeNaN()
  })
})

describe('its options', () => {
  it('are all three candidates and seven rounds, or what is said', () => {
    expect(readOptions([], 1).plan).toMatchObject({ candidates: ['hang', 'flood', 'large'], rounds: 7 })
    expect(readOptions(['--candidate', 'hang', '--rounds', '3'], 1).plan).toMatchObject({
      candidates: ['hang'],
      rounds: 3,
    })
  })

  it('are refused when mistyped', () => {
    for (const args of [
      ['--candidate', 'nice'],
      ['--rounds', '0'],
      ['--round', '3'],
    ])
      expect(() => readOptions(args, 1)).toThrow(UsageError)
  })
})
