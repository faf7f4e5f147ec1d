// What a rollback run makes of what it saw: books that were cooked on purpose, one way each.
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../load-tests/arguments.ts'
import type { Hit } from '../../load-tests/interposer.ts'
import type { Entry } from '../../load-tests/ledger.ts'
import { type Books, balance } from '../../load-tests/rollback/books.ts'
import { readOptions } from '../../load-tests/rollback/options.ts'
import { type Facts, verdictOf } from '../../load-tests/rollback/verdict.ts'
import type { SentRequest } from '../../load-tests/traffic.ts'

const request = (id: string, visitor: string, sentAt: number, part: Partial<SentRequest> = {}): SentRequest => ({
  ...{ id, visitor, kind: 'search', scheduledAt: sentAt, sentAt, endedAt: sentAt + 5 },
  ...{ outcome: 'ok' as const, status: 200, isAnswered: true, ...part },
})
const entry = (id: string, service: string, role?: string): Entry => ({
  ...{ service, seq: 1, id, state: 'answered' as const },
  ...(role !== undefined && { role }),
})
const hit = (id: string, role?: string): Hit => ({ id, at: 0, role })
const failed = { outcome: 'wrongStatus', status: 503 } as const

/** Anna belongs to the candidate, Otto to the old side; the candidate fails from 100 on, the gateway decides at 200. */
const sound: Books = {
  records: [
    request('a1', 'anna', 10),
    request('o1', 'otto', 20),
    request('a2', 'anna', 30),
    request('o2', 'otto', 40),
    request('a3', 'anna', 110, failed),
    request('a4', 'anna', 198, failed),
    request('a5', 'anna', 210),
    request('o3', 'otto', 220),
  ],
  entries: [
    ...['a1', 'a2', 'a3', 'a4'].map((id) => entry(id, 'search')),
    ...['o1', 'o2', 'o3', 'a5'].map((id) => entry(id, 'monolith')),
  ],
  hits: [hit('a3'), hit('a4')],
  beganAt: 100,
  decidedAt: 200,
  sides: { from: 'monolith', to: 'search' },
}

const without = (id: string) => sound.entries.filter((one) => one.id !== id)
const instead = (id: string, part: Partial<SentRequest>) =>
  sound.records.map((one) => (one.id === id ? { ...one, ...part } : one))

describe('the books of a rollback run', () => {
  it('put each request into its part, and know whom the candidate had', () => {
    const { phases, findings, moved, ...counts } = balance(sound)
    expect(phases.map(({ name, requests }) => [name, requests])).toEqual([
      ['clean', 4],
      ['failing', 1],
      ['under way', 1],
      ['rolled back', 2],
    ])
    expect({ findings, moved }).toEqual({ findings: [], moved: ['anna'] })
    expect(counts).toEqual({
      ...{ lost: 0, doubled: 0, wrongSide: 0, unexplained: 0, overloaded: 0, overloadedBefore: 0, legs: 0 },
      ...{ failuresBefore: 1, underWay: 1, failuresUnderWay: 1, after: 2, failuresAfter: 0 },
      ...{ visitors: 2, flipped: 0, candidatePerSecond: 30 },
    })
  })

  const cooked: [string, Partial<Books>, Partial<ReturnType<typeof balance>>][] = [
    [
      'a failure after the decision',
      { records: instead('a5', failed), hits: [...sound.hits, hit('a5')] },
      { failuresAfter: 1, unexplained: 0 },
    ],
    [
      'a spoilt answer after the decision that its client took for good',
      { hits: [...sound.hits, hit('a5')] },
      { failuresAfter: 1 },
    ],
    [
      'the candidate asked after the decision',
      { entries: [...without('a5'), entry('a5', 'search')] },
      { wrongSide: 1, failuresAfter: 0 },
    ],
    [
      'an old side that had no room, as no failure of the candidate and no loss',
      { records: instead('a5', { ...failed, isAnswered: false, why: 'upstreamBusy' }), entries: without('a5') },
      { overloaded: 1, overloadedBefore: 0, failuresAfter: 0, unexplained: 0, lost: 0 },
    ],
    [
      'a candidate that had no time before anything was planted, as the fault of the machine',
      { records: instead('a2', { ...failed, isAnswered: false, why: 'upstreamFirstByteTimeout' }) },
      { overloaded: 1, overloadedBefore: 1, failuresBefore: 1, unexplained: 0, lost: 0 },
    ],
    [
      'what had no time as the gateway decided, too',
      { records: instead('a4', { ...failed, why: 'upstreamConnectTimeout' }), hits: [hit('a3')] },
      { overloaded: 1, overloadedBefore: 1, failuresUnderWay: 1, unexplained: 0 },
    ],
    [
      'a candidate that had no room after the decision, as its failure',
      {
        records: instead('a5', { ...failed, why: 'upstreamBusy' }),
        entries: [...without('a5'), entry('a5', 'search')],
      },
      { overloaded: 0, failuresAfter: 1, unexplained: 1, wrongSide: 1 },
    ],
    ['a failure that nobody planted', { records: instead('o1', failed) }, { unexplained: 1, failuresAfter: 0 }],
    ['a visitor answered by both sides', { entries: [...without('a2'), entry('a2', 'monolith')] }, { flipped: 1 }],
    ['a request that ran twice', { entries: [...sound.entries, entry('o2', 'monolith')] }, { doubled: 1, flipped: 0 }],
    ['a request that no ledger has', { entries: without('o2') }, { lost: 1 }],
    [
      'an answer that nobody planted a cut in',
      { records: instead('o2', { outcome: 'truncated', isAnswered: false }) },
      { lost: 1, unexplained: 1 },
    ],
    ['a planted cut, as no loss', { records: instead('a3', { outcome: 'truncated', isAnswered: false }) }, { lost: 0 }],
    [
      'a leg of the gateway’s own, as no second run',
      { entries: [...sound.entries, entry('o3', 'search', 'shadow')], hits: [...sound.hits, hit('o3', 'shadow')] },
      { doubled: 0, wrongSide: 0, failuresAfter: 0, legs: 1 },
    ],
    [
      'no decision at all',
      { decidedAt: undefined },
      { after: 0, underWay: 0, failuresBefore: 2, flipped: 1, wrongSide: 0 },
    ],
  ]
  it.each(cooked)('find %s', (_name, part, expected) => {
    expect(balance({ ...sound, ...part })).toMatchObject(expected)
  })
})

const { phases: _phases, findings: _findings, moved: _moved, ...counts } = balance(sound)
const clean: Facts = {
  ...{ requests: 8, unsent: 0, lagP99Ms: 1, forgotten: 0, running: 0, ...counts },
  ...{ planted: 2, verdictBefore: 'pass', decidedBy: 'guard', decidedAfterMs: 2500, withinMs: 5000, clockSetMs: 0 },
  restart: {
    ...{ isStillRolledBack: true, asked: 1, answeredByOldSide: 1 },
    audit: { hasRollback: true, isSound: true, records: 4 },
  },
}
const restart = (part: Partial<NonNullable<Facts['restart']>>): Partial<Facts> => ({
  restart: clean.restart && { ...clean.restart, ...part },
})

describe('the verdict on a rollback run', () => {
  const cases: [string, Partial<Facts>, string, string[]][] = [
    ['passes what is promised', {}, 'passed', []],
    ['passes a decision in time to the millisecond', { decidedAfterMs: 5000 }, 'passed', []],
    [
      'fails a late decision',
      { decidedAfterMs: 5001 },
      'failed',
      ['rolled back 5001 ms after the first failure; 5000'],
    ],
    ['takes any time where none is promised', { decidedAfterMs: 9000, withinMs: null }, 'passed', []],
    [
      'fails without a decision',
      { decidedBy: null, restart: null },
      'failed',
      ['not rolled back, although 2 of its answers were spoilt'],
    ],
    ['fails a decision before any failure', { decidedAfterMs: -3 }, 'failed', ['rolled back before anything had']],
    [
      'fails a decision without any failure, and doubts it',
      { decidedAfterMs: null, planted: 0 },
      'failed',
      ['rolled back before anything had', 'no answer of the candidate was spoilt'],
    ],
    [
      'doubts what the guard did where the machine had no time before it',
      { decidedAfterMs: -3, overloaded: 1, overloadedBefore: 1 },
      'inconclusive',
      ['1 request had no room or time', 'rolled back before anything had failed'],
    ],
    [
      'fails a failure of the candidate after the decision on any machine',
      { failuresAfter: 1, overloaded: 1, overloadedBefore: 1 },
      'failed',
      ['1 request met a failure', '1 request had no room'],
    ],
    ['fails somebody else’s decision', { decidedBy: 'admin' }, 'failed', ['rolled back by admin, not by the guard']],
    ['fails one failure after it', { failuresAfter: 1 }, 'failed', ['1 request met a failure of the candidate after']],
    ['fails an unexplained failure', { unexplained: 1 }, 'failed', ['1 request not answered as they must be, and not']],
    ['fails on one lost request', { lost: 1 }, 'failed', ['1 request lost']],
    ['fails on one that ran twice', { doubled: 1 }, 'failed', ['1 request doubled']],
    ['fails on the wrong side', { wrongSide: 2 }, 'failed', ['2 requests answered by the wrong side']],
    ['fails on a visitor who changed sides', { flipped: 1 }, 'failed', ['1 of 2 visitors were answered by both']],
    ['fails on a crash that forgot', restart({ isStillRolledBack: false }), 'failed', ['the gateway has forgotten']],
    [
      'fails on a wrong answer after the crash',
      restart({ answeredByOldSide: 0 }),
      'failed',
      ['1 request not answered'],
    ],
    [
      'fails on an audit without it, and on a broken one',
      restart({ audit: { hasRollback: false, isSound: false, records: 0, why: 'torn' } }),
      'failed',
      ['the audit does not have the rollback', 'the chain of the audit is broken: torn'],
    ],
    [
      'is inconclusive when nothing was spoilt',
      { planted: 0, decidedBy: null, restart: null },
      'inconclusive',
      ['no answer of the candidate was spoilt'],
    ],
    ['is inconclusive when there was no room', { overloaded: 3 }, 'inconclusive', ['3 requests had no room or time']],
    ['is inconclusive without a pass before', { verdictBefore: 'inconclusive' }, 'inconclusive', ['the guard had not']],
    ['is inconclusive without a word before', { verdictBefore: null }, 'inconclusive', ['the guard had not passed']],
    ['is inconclusive when nobody came twice', { visitors: 0 }, 'inconclusive', ['no visitor came twice']],
    ['is inconclusive with nothing after', { after: 0 }, 'inconclusive', ['nothing was sent after']],
    [
      'is inconclusive with nobody after the crash',
      restart({ asked: 0, answeredByOldSide: 0 }),
      'inconclusive',
      ['nob'],
    ],
    ['is inconclusive when the clock was set', { clockSetMs: -40 }, 'inconclusive', ['the machine’s clock was set']],
    ['is inconclusive when the client lagged', { lagP99Ms: 101 }, 'inconclusive', ['the client did not keep up']],
  ]
  it.each(cases)('%s', (_name, part, verdict, reasons) => {
    const found = verdictOf({ ...clean, ...part })
    expect({ verdict: found.verdict, reasons: found.reasons }).toEqual({
      verdict,
      reasons: reasons.map((beginning) => expect.stringMatching(new RegExp(`^${beginning}`))),
    })
  })
})

describe('the options of a rollback run', () => {
  it('promise 5 s at the default rate, and nothing at a lower one or for another fault', () => {
    const withinMs = (...args: string[]) => readOptions(args, 0).plan.withinMs
    expect(withinMs()).toBe(5000)
    expect(withinMs('--rate', '199')).toBeUndefined()
    expect(withinMs('--fault', 'slow')).toBeUndefined()
  })

  it('have defaults, the seed from the clock', () => {
    const { plan, json } = readOptions([], 1_700_000_123_456)
    expect(plan).toMatchObject({ ratePerSecond: 200, seconds: 30, seed: 123_456, fault: 'errors', faultShare: 0.05 })
    expect([json, plan.logFile].map((file) => file.replace(/.*load-tests/, ''))).toEqual([
      '/out/rollback.json',
      '/out/rollback.log',
    ])
  })

  it.each([
    ['a fault of another scenario', ['--fault', 'drop'], '--fault must be one of errors, slow, hang, wrong'],
    ['too short a run', ['--seconds', '8'], '--seconds must be a whole number from 9 to 3600'],
    ['a given site', ['--gateway', 'http://a'], '--gateway'],
  ])('refuse %s', (_name, args, message) => {
    expect(() => readOptions(args, 0)).toThrow(UsageError)
    expect(() => readOptions(args, 0)).toThrow(message)
  })
})
