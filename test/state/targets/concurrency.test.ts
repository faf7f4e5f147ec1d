// What an upstream is given at a time, within what the fleet leaves to this gateway.
import { expect, test } from 'vitest'
import type { Upstream } from '../../../gateway/model.ts'
import { sharer } from '../../../gateway/state/sharing/fleetSize.ts'
import { createConcurrency } from '../../../gateway/state/targets/concurrency.ts'
import { upstreamTo } from '../../forward/world.ts'
import { snapshotOf } from '../../ops/world.ts'

const adaptive = (over: Partial<Upstream> = {}) => upstreamTo(1, { isAdaptive: true, maxConnections: 100, ...over })

function newBook() {
  let gateways = 1
  const book = createConcurrency({ clock: { now: () => 0 }, random: () => 0, shareOf: sharer(() => gateways) })
  return {
    book,
    beOneOf(count: number) {
      gateways = count
    },
    follow: (...upstreams: Upstream[]) => book.follow(snapshotOf({ upstreams })),
    /** As many answers as end a measurement. */
    measure(upstream: Upstream) {
      for (let i = 0; i < 50; i++) book.of(upstream)?.took({ tookMs: 5, startedAt: 0, active: 1 })
    },
  }
}

test('it begins with half of twenty, and has twenty once the calm latency is known', () => {
  const { book, follow, measure } = newBook()
  const upstream = adaptive()
  follow(upstream)
  expect(book.viewOf(upstream)).toEqual({ most: 10 })
  measure(upstream)
  expect(book.viewOf(upstream)).toEqual({ most: 20, calmMs: 5 })
})

test('it is never more than this gateway may have, as the file and the fleet are now, and never nothing', () => {
  const { book, follow, measure, beOneOf } = newBook()
  const upstream = adaptive()
  follow(upstream)
  measure(upstream)
  beOneOf(10)
  expect(book.of(upstream)?.most()).toBe(10)
  follow(adaptive({ maxConnections: 20 }))
  expect(book.of(upstream)?.most()).toBe(2)
  beOneOf(40)
  expect(book.of(upstream)?.most()).toBe(1)
  beOneOf(1)
  expect(book.viewOf(upstream)).toEqual({ most: 20, calmMs: 5 })
})

test('whoever does not ask for it has none, and begins anew with it', () => {
  const { book, follow, measure } = newBook()
  const upstream = adaptive()
  follow(upstreamTo(1))
  expect(book.of(upstream)).toBeUndefined()
  follow(upstream)
  measure(upstream)
  follow(upstreamTo(1))
  expect(book.viewOf(upstream)).toBeUndefined()
  follow(upstream)
  expect(book.viewOf(upstream)).toEqual({ most: 10 })
})
