import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Entry, expectedSides, type Finding, type Flip, reconcile, type Sent } from '../../load-tests/ledger.ts'

const marginMs = 10
/** search goes over at 100 … 120 and back at 200 … 220. */
const flips: Flip[] = [
  { from: 'monolith', to: 'search', editedAt: 100, shownAt: 120 },
  { from: 'search', to: 'monolith', editedAt: 200, shownAt: 220 },
]

function sent(part: Partial<Sent>): Sent {
  return { id: 'a', sentAt: 10, endedAt: 20, isAnswered: true, servedBy: undefined, owner: 'monolith', ...part }
}

let seq = 0
function entry(service: string, id = 'a'): Entry {
  seq += 1
  return { service, seq, id, state: 'answered' }
}

describe('reconcile', () => {
  const cases: [string, Sent[], Entry[], Finding[]][] = [
    ['nothing from nothing', [], [], []],
    ['nothing when one side has an answered request once', [sent({})], [entry('monolith')], []],
    [
      'an unanswered request that no ledger has as lost and never delivered',
      [sent({ isAnswered: false })],
      [],
      [{ kind: 'lost', id: 'a', reached: false }],
    ],
    [
      'an unanswered request that a ledger has as lost although it may have run',
      [sent({ isAnswered: false })],
      [entry('monolith')],
      [{ kind: 'lost', id: 'a', reached: true }],
    ],
    ['an answered request that no ledger has as unrecorded', [sent({})], [], [{ kind: 'unrecorded', id: 'a' }]],
    [
      'a request twice in one ledger as doubled',
      [sent({})],
      [entry('monolith'), entry('monolith')],
      [{ kind: 'doubled', id: 'a', sides: ['monolith', 'monolith'] }],
    ],
    [
      'a request in two ledgers as doubled, and the side that should not have it as wrong',
      [sent({})],
      [entry('monolith'), entry('search')],
      [
        { kind: 'doubled', id: 'a', sides: ['monolith', 'search'] },
        { kind: 'wrongSide', id: 'a', side: 'search', expected: ['monolith'] },
      ],
    ],
    [
      'a lost request that ran twice as both',
      [sent({ isAnswered: false })],
      [entry('monolith'), entry('monolith')],
      [
        { kind: 'lost', id: 'a', reached: true },
        { kind: 'doubled', id: 'a', sides: ['monolith', 'monolith'] },
      ],
    ],
    [
      'a request at a side that does not own it as wrong side',
      [sent({})],
      [entry('search')],
      [{ kind: 'wrongSide', id: 'a', side: 'search', expected: ['monolith'] }],
    ],
    [
      'an answer that names another side than the ledger as wrong side',
      [sent({ owner: undefined, servedBy: 'search' })],
      [entry('monolith')],
      [{ kind: 'wrongSide', id: 'a', side: 'search', expected: ['monolith'] }],
    ],
    ['nothing wrong with a side where no owner is known', [sent({ owner: undefined })], [entry('ai')], []],
  ]
  it.each(cases)('finds %s', (_name, requests, entries, findings) => {
    expect(reconcile(requests, entries, flips, marginMs).findings).toEqual(findings)
  })

  it('counts ledger lines that are not ours as foreign and finds nothing in them', () => {
    const { findings, foreign } = reconcile(
      [sent({})],
      [entry('monolith'), entry('monolith', 'theirs'), entry('search', 'theirs')],
      [],
      0,
    )
    expect({ findings, foreign }).toEqual({ findings: [], foreign: 2 })
  })
})

describe('the side of a request of the moving route', () => {
  const cases: [string, number, number, string[]][] = [
    ['is the old one when it ended before the edit', 80, 99, ['monolith']],
    ['is either when it was in flight at the edit', 80, 100, ['monolith', 'search']],
    ['is either between the edit and the showing', 105, 110, ['monolith', 'search']],
    ['is either within the margin after the showing', 130, 140, ['monolith', 'search']],
    ['is the new one after the margin', 131, 140, ['search']],
    ['is the new one until the second edit', 150, 199, ['search']],
    ['is either when it was in flight at the second edit', 150, 205, ['search', 'monolith']],
    ['is the old one again after the second margin', 231, 900, ['monolith']],
    ['is either when it hung through both flips', 50, 900, ['monolith', 'search']],
  ]
  it.each(cases)('%s', (_name, sentAt, endedAt, sides) => {
    expect(expectedSides({ owner: 'moving', sentAt, endedAt }, flips, marginMs)).toEqual(expect.arrayContaining(sides))
    expect(expectedSides({ owner: 'moving', sentAt, endedAt }, flips, marginMs)).toHaveLength(sides.length)
  })

  it('is unknown when nothing was moved', () => {
    expect(expectedSides({ owner: 'moving', sentAt: 1, endedAt: 2 }, [], marginMs)).toBeUndefined()
  })

  it('stays open for ever after an edit that was never shown', () => {
    const stuck = [{ from: 'monolith', to: 'search', editedAt: 100, shownAt: Number.POSITIVE_INFINITY }]
    expect(expectedSides({ owner: 'moving', sentAt: 5000, endedAt: 5001 }, stuck, marginMs)).toEqual([
      'monolith',
      'search',
    ])
  })

  it('counts the requests that either side might have answered', () => {
    const requests = [
      sent({ id: 'a', owner: 'moving', sentAt: 105, endedAt: 110 }),
      sent({ id: 'b', owner: 'moving', sentAt: 150, endedAt: 160 }),
    ]
    const found = reconcile(requests, [entry('monolith', 'a'), entry('search', 'b')], flips, marginMs)
    expect({ findings: found.findings, eitherSide: found.eitherSide }).toEqual({ findings: [], eitherSide: 1 })
  })
})

describe('reconcile, whatever happened', () => {
  const fates = ['fine', 'neverArrived', 'answerLost', 'doubled', 'wrongSide', 'unrecorded'] as const
  type Fate = (typeof fates)[number]

  /** A history in which each request has met one fate, with the ledgers' lines in any order. */
  const histories = fc
    .array(fc.record({ fate: fc.constantFrom<Fate>(...fates), sentAt: fc.nat(400), tookMs: fc.nat(60) }))
    .chain((requests) => {
      const met = requests.map((request, i) => meet(request.fate, `r${i}`, request.sentAt, request.tookMs))
      const entries = met.flatMap(({ entries }) => entries)
      return fc.record({
        fates: fc.constant(requests.map(({ fate }) => fate)),
        sent: fc.constant(met.map(({ sent }) => sent)),
        entries: fc.shuffledSubarray(entries, { minLength: entries.length }),
      })
    })

  function meet(fate: Fate, id: string, sentAt: number, tookMs: number): { sent: Sent; entries: Entry[] } {
    // The truth is that the gateway swapped half-way between the edit and its showing, and read the request when it came.
    const right = sentAt < 110 || sentAt >= 210 ? 'monolith' : 'search'
    const request = sent({ id, sentAt, endedAt: sentAt + tookMs, owner: 'moving', servedBy: right })
    if (fate === 'neverArrived') return { sent: { ...request, isAnswered: false, servedBy: undefined }, entries: [] }
    if (fate === 'answerLost')
      return { sent: { ...request, isAnswered: false, servedBy: undefined }, entries: [entry(right, id)] }
    if (fate === 'doubled') return { sent: request, entries: [entry(right, id), entry(right, id)] }
    if (fate === 'wrongSide') return { sent: { ...request, servedBy: 'ai' }, entries: [entry('ai', id)] }
    return { sent: request, entries: fate === 'unrecorded' ? [] : [entry(right, id)] }
  }

  it('finds each planted fault, of the right kind and once, and nothing else', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const expected = history.fates.flatMap((fate, i) => {
          if (fate === 'fine') return []
          return [`r${i} ${fate === 'neverArrived' || fate === 'answerLost' ? 'lost' : fate}`]
        })
        const { findings } = reconcile(history.sent, history.entries, flips, marginMs)
        expect(findings.map(({ id, kind }) => `${id} ${kind}`).sort()).toEqual(expected.sort())
      }),
      { seed: 20261121, numRuns: 300 },
    )
  })

  it('never finds the same kind twice for one request', () => {
    const anything = fc.record({
      sent: fc.uniqueArray(
        fc.record({
          id: fc.constantFrom('a', 'b', 'c', 'd'),
          sentAt: fc.nat(400),
          endedAt: fc.nat(500),
          isAnswered: fc.boolean(),
          servedBy: fc.option(fc.constantFrom('monolith', 'search'), { nil: undefined }),
          owner: fc.option(fc.constantFrom('monolith', 'moving'), { nil: undefined }),
        }),
        { selector: ({ id }) => id },
      ),
      entries: fc.array(
        fc.record({
          service: fc.constantFrom('monolith', 'search', 'ai'),
          seq: fc.nat(),
          id: fc.constantFrom('a', 'b', 'c', 'd', 'theirs'),
          state: fc.constantFrom('running' as const, 'answered' as const, 'aborted' as const),
        }),
      ),
    })
    fc.assert(
      fc.property(anything, ({ sent, entries }) => {
        const { findings } = reconcile(sent, entries, flips, marginMs)
        const kinds = findings.map(({ id, kind }) => `${id} ${kind}`)
        expect(new Set(kinds).size).toBe(kinds.length)
      }),
      { seed: 20261121, numRuns: 300 },
    )
  })
})
