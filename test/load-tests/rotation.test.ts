// The rotation of all credentials under load in its short form, and what its tally and verdict make of what they are given.
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it, onTestFinished } from 'vitest'
import { UsageError } from '../../load-tests/arguments.ts'
import { readOptions } from '../../load-tests/rotation/plan.ts'
import { type Credential, createPurse } from '../../load-tests/rotation/purse.ts'
import { tallyOf } from '../../load-tests/rotation/tally.ts'
import { endings, type Facts, verdictOf } from '../../load-tests/rotation/verdict.ts'
import type { SentRequest } from '../../load-tests/traffic.ts'
import { loadTest } from './short-run.ts'

describe('a short run', () => {
  it('rotates everything once, refuses nobody who should pass, and lets nobody pass who should not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rotation-test-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const json = join(folder, 'rotate-keys.json')
    const args = ['--seconds', '8', '--rate', '40', '--seed', '7', '--json', json]
    const child = loadTest(['rotate-keys', ...args], { TMPDIR: folder })
    const ended = once(child, 'close')
    const [out, complaints] = await Promise.all([text(child.stdout), text(child.stderr)])
    expect(complaints).toBe('')
    const { reasons, measured } = JSON.parse(await readFile(json, 'utf8'))
    // What a busy machine does to the client is no doubt about the gateway.
    const doubts = reasons.filter((reason: string) => !/did not keep up|^nothing was sent after the bound/.test(reason))
    expect(doubts, out).toEqual([])
    expect([0, 3]).toContain((await ended)[0])
    expect(measured.tally).toMatchObject({ refused: [], wrong: [] })
    expect(measured.tally.good).toBeGreaterThan(150)
    expect(Object.values(measured.rotations).every((count) => Number(count) > 0)).toBe(true)
    const { 'no token': none, 'rotated key': rotated, 'revoked key': revoked } = measured.tally.ended
    for (const { sent } of [none, rotated, revoked]) expect(sent).toBeGreaterThan(0)
    expect(out).toMatch(/: \d+ requests; of \d+ with what was good 0 were refused, of \d+ with what was not 0 passed\n/)
  })
})

describe('the tally', () => {
  const key: Credential = { id: 'k', kind: 'key', fields: {}, how: 'revoked key', goodUntil: 100, badFrom: 200 }
  const record = (sentAt: number, endedAt: number, part: Partial<SentRequest> = {}): SentRequest => ({
    ...{ id: `at ${sentAt}`, kind: 'search', visitor: 'k', scheduledAt: sentAt, sentAt, endedAt },
    ...{ outcome: 'ok', status: 200, isAnswered: true },
    ...part,
  })
  const no = { outcome: 'wrongStatus', status: 401 } as const
  const tally = (records: readonly SentRequest[]) => tallyOf(records, (id) => (id === 'k' ? key : undefined), Number)

  it('wants answers to whatever was answered while it was good, and to those who need nothing', () => {
    const stranger = record(500, 510, { visitor: 'nobody' })
    expect(tally([record(0, 100), stranger])).toEqual({ good: 2, refused: [], ended: {}, wrong: [] })
    const refused = [record(0, 100, no), { ...stranger, ...no }]
    expect(tally(refused)).toMatchObject({ good: 2, refused })
  })

  it('judges nothing that was under way at the end or within the bound, and tells how long it was taken', () => {
    const between = [record(0, 101), record(0, 101, no), record(150, 160), record(199, 400), record(199, 400, no)]
    const revoked = { sent: 0, passed: 0, odd: 0, takenForMs: 99 }
    expect(tally(between)).toEqual({ good: 0, refused: [], ended: { 'revoked key': revoked }, wrong: [] })
  })

  it('wants a refusal from the bound on, and no other failure in its place', () => {
    const wrong = [record(200, 201), record(300, 301, { outcome: 'wrongStatus', status: 503 })]
    const revoked = { sent: 3, passed: 1, odd: 1 }
    expect(tally([...wrong, record(200, 201, no)])).toMatchObject({ ended: { 'revoked key': revoked }, wrong })
  })

  it('takes what is not answered at all for no refusal', () => {
    const lost = record(300, 400, { outcome: 'reset', status: 0 })
    expect(tally([lost])).toMatchObject({ wrong: [lost] })
  })
})

describe('the verdict', () => {
  const ended = Object.fromEntries(endings.map((how) => [how, { sent: 9, passed: 0, odd: 0 }]))
  const facts: Facts = {
    ...{ requests: 100, unsent: 0, lagP99Ms: 1 },
    tally: { good: 80, refused: [], ended, wrong: [] },
    rotations: { apiKeys: 1, peppers: 2 },
  }
  const withEnded = (part: object) => ({
    tally: { ...facts.tally, ended: { ...ended, 'revoked key': { ...ended['revoked key'], ...part } } },
  })
  const refused = [{} as SentRequest]

  it.each<[string, object, string]>([
    ['passed when all that is good passes and all that has ended does not', {}, 'passed'],
    ['failed by one refusal', { tally: { ...facts.tally, refused } }, 'failed'],
    ['failed by one that passed', withEnded({ passed: 1 }), 'failed'],
    ['failed by a failure in place of a refusal', withEnded({ odd: 1 }), 'failed'],
    ['failed by a rotation that did not end', { unfinished: 'it hangs' }, 'failed'],
    ['not decided when something was not shown again', withEnded({ sent: 0 }), 'inconclusive'],
    ['not decided when something was not rotated', { rotations: { apiKeys: 0 } }, 'inconclusive'],
    ['not decided when the client did not keep up', { unsent: 1 }, 'inconclusive'],
  ])('is %s', (_what, part, verdict) => {
    const judged = verdictOf({ ...facts, ...part })
    expect(judged.verdict).toBe(verdict)
    expect(judged.reasons.length).toBe(verdict === 'passed' ? 0 : 1)
  })
})

describe('the purse', () => {
  it('goes on giving what has an end until then, and knows it afterwards', () => {
    let now = 0
    const purse = createPurse(() => now)
    const [endless, short] = [purse.add('key', {}), purse.add('key', {}, { how: 'x', goodUntil: 10, badFrom: 20 })]
    purse.add('token', {})
    expect([purse.good('key'), purse.ended('key')]).toEqual([[endless, short], []])
    now = 10
    expect([purse.good('key'), purse.ended('key')]).toEqual([[endless], [short]])
    expect(purse.get(short.id)).toBe(short)
  })
})

it('takes its options, or refuses them', () => {
  expect(readOptions([], 1).plan).toEqual({ ratePerSecond: 300, seconds: 30, seed: 1 })
  for (const args of [
    ['--seconds', '7'],
    ['--cycles', '2'],
  ])
    expect(() => readOptions(args, 1)).toThrow(UsageError)
})
