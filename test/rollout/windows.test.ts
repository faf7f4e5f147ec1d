// What the windows count, and when they forget it.
import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../gateway/model.ts'
import { add, binOf, countOf, latenciesOf, noCounts, statusesOf } from '../../gateway/rollout/counts.ts'
import { addSpans, spanLengths, spansOf, usualOf } from '../../gateway/rollout/spans.ts'
import { createWindows } from '../../gateway/rollout/windows.ts'
import { answered, broken, defaults, left, refused } from './simulate.ts'

function frozen(startMs = 5_500) {
  const clock = { nowMs: startMs }
  return { clock, windows: createWindows({ windowMs: 30_000, now: () => clock.nowMs }) }
}

function see(...outcomes: readonly Outcome[]) {
  const { windows } = frozen()
  for (const outcome of outcomes) windows.observe('new', outcome)
  const counts = windows.span('new', 30_000)
  const { requests, failures, abandoned } = {
    requests: countOf(counts, 'requests'),
    failures: countOf(counts, 'failures'),
    abandoned: countOf(counts, 'abandoned'),
  }
  return { requests, failures, abandoned, statuses: [1, 2, 3, 4, 5].map((each) => statusesOf(counts, each)), counts }
}

describe('an outcome', () => {
  test('with a status below 500 is no failure', () => {
    expect(see(answered(204, 1), answered(301, 1), answered(404, 1))).toMatchObject({
      requests: 3,
      failures: 0,
      statuses: [0, 1, 1, 1, 0],
    })
  })

  test('with 500 or more, without an answer, or broken in mid-body is one', () => {
    expect(see(answered(503, 1), refused(), broken(1))).toMatchObject({
      requests: 3,
      failures: 3,
      statuses: [0, 1, 0, 0, 1],
    })
  })

  test('for which our own bulkhead had no room is one, for the client got nothing', () => {
    expect(see({ ...refused(), failure: 'upstreamBusy', blame: 'gateway' })).toMatchObject({ failures: 1 })
  })

  test('whose client has left is no failure, but was waited for', () => {
    const { counts, ...seen } = see(left(8_000))
    expect(seen).toMatchObject({ requests: 1, failures: 0, abandoned: 1, statuses: [0, 0, 0, 0, 0] })
    expect(latenciesOf(counts)[binOf(8_000)]).toBe(1)
  })

  test('whose client left while it was sending counts as left too', () => {
    expect(see({ ...left(9), failure: 'requestBodyBroken' })).toMatchObject({ requests: 1, abandoned: 1 })
  })

  test('that the client spoiled otherwise is not counted at all', () => {
    expect(see({ ...left(9), failure: 'requestMalformed' }).counts).toEqual(noCounts)
  })

  test('whose client left after the head is as good as any', () => {
    const gone = { ...answered(200, 5), end: 'clientGone', blame: 'client', failure: 'clientGone' } as const
    expect(see(gone)).toMatchObject({ requests: 1, failures: 0, abandoned: 0, statuses: [0, 1, 0, 0, 0] })
  })
})

describe('a row of failures', () => {
  test('is ended by an answer, not by a client that leaves', () => {
    const { windows, clock } = frozen()
    for (const outcome of [refused(), left(1), refused(), answered(500, 1)]) windows.observe('new', outcome)
    expect(windows.failuresInARow('new')).toBe(3)
    expect(windows.failuresInARow('old')).toBe(0)
    windows.observe('new', answered(200, 1))
    clock.nowMs += 2_001
    expect(windows.failuresInARow('new')).toBe(0)
  })

  test('that ended between two looks is still seen by the next one', () => {
    const { windows, clock } = frozen()
    for (const outcome of [refused(), refused(), refused(), answered(200, 1), refused()])
      windows.observe('new', outcome)
    clock.nowMs += 1_000
    expect(windows.failuresInARow('new')).toBe(3)
  })

  test('that goes on is seen however long nobody comes', () => {
    const { windows, clock } = frozen()
    windows.observe('new', refused())
    clock.nowMs += 600_000
    windows.observe('new', refused())
    clock.nowMs += 600_000
    expect(windows.failuresInARow('new')).toBe(2)
  })
})

describe('a window', () => {
  test('slides: a span holds its newest seconds and no older ones', () => {
    const { windows, clock } = frozen(1_000_000)
    for (let second = 0; second < 100; second++) {
      windows.observe('old', answered(200, 1))
      clock.nowMs += 1_000
    }
    // The second under way is still empty.
    const requests = (ms: number) => countOf(windows.span('old', ms), 'requests')
    expect([2_000, 5_000, 10_000, 30_000].map(requests)).toEqual([1, 4, 9, 29])
    expect(requests(3_600_000)).toBe(100)
    clock.nowMs += 3_700_000
    expect(requests(3_600_000)).toBe(0)
  })

  test('begins anew when the stage or the share changes', () => {
    const { windows } = frozen()
    windows.observe('new', refused())
    windows.compared(false)
    windows.breakerOpened()
    windows.reset()
    expect(spansOf(windows, 30_000).every(({ candidate }) => candidate.every((count) => count === 0))).toBe(true)
    expect(windows.failuresInARow('new')).toBe(0)
  })

  test('counts comparisons and openings of the breaker on the new side', () => {
    const { windows } = frozen()
    windows.compared(true)
    windows.compared(false)
    windows.breakerOpened()
    const counts = windows.span('new', 2_000)
    expect([countOf(counts, 'compared'), countOf(counts, 'mismatched'), countOf(counts, 'breakerOpened')]).toEqual([
      2, 1, 1,
    ])
  })

  test('of one replica is added to another’s, also after a journey as JSON', () => {
    const [one, other] = [frozen().windows, frozen().windows]
    one.observe('new', answered(200, 5))
    other.observe('new', answered(500, 5))
    other.observe('old', left(700))
    const sent = JSON.parse(JSON.stringify(spansOf(other, 30_000)))
    const [sum] = addSpans(spansOf(one, 30_000), sent)
    expect(countOf(sum?.candidate ?? noCounts, 'requests')).toBe(2)
    expect(latenciesOf(sum?.candidate ?? noCounts)[binOf(5)]).toBe(2)
    expect(countOf(sum?.control ?? noCounts, 'abandoned')).toBe(1)
    expect(add(noCounts, noCounts)).toEqual(noCounts)
  })

  test('is stretched for what is usual on a side with little traffic', () => {
    const { windows, clock } = frozen()
    for (let request = 0; request < 60_000; request++) {
      clock.nowMs += 10
      windows.observe('new', answered(200, 1))
      if (request % 100 === 0) windows.observe('old', answered(200, 1))
    }
    const spans = spansOf(windows, defaults.windowMs)
    expect(usualOf(spans, 'candidate', defaults)?.spanMs).toBe(30_000)
    expect(usualOf(spans, 'control', defaults)?.spanMs).toBe(3_600_000)
  })

  test('has the spans that are judged in ascending order, itself among them', () => {
    expect(spanLengths(30_000)).toEqual([2_000, 5_000, 10_000, 30_000, 120_000, 600_000, 3_600_000])
    expect(spanLengths(5_000)).toEqual([2_000, 5_000, 120_000, 600_000, 3_600_000])
    expect(spanLengths(300_000)).toEqual([2_000, 5_000, 10_000, 300_000, 600_000, 3_600_000])
  })
})
