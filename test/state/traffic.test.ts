import { expect, test } from 'vitest'
import type { Exchange } from '../../gateway/model.ts'
import { createTraffic } from '../../gateway/state/traffic.ts'
import { frozenClock, monolith, outcomeOf, reportOf, routeOf, search, snapshotOf } from '../ops/world.ts'
import { rolloutOf } from '../rollout/declared.ts'

const moved = routeOf('search', 'canary')
const snapshot = snapshotOf({ routes: [moved] })

function exchangeOf(parts: Partial<Exchange> = {}): Exchange {
  return reportOf({ route: moved, exchange: { upstream: search, ...parts } }).exchange
}

function trafficAt() {
  const clock = frozenClock()
  const traffic = createTraffic(clock)
  traffic.follow(snapshot)
  return { clock, traffic }
}

function turn(from: number, to: number) {
  const at = (shareBasisPoints: number) => ({ stage: 'canary', shareBasisPoints, why: 'file' }) as const
  return { rollout: rolloutOf('search'), from: at(from), to: at(to) }
}

test('rates are those of the last five minutes, and of less for what is younger', () => {
  const { clock, traffic } = trafficAt()
  clock.advance(60_000)
  for (let i = 0; i < 30; i += 1) traffic.sent(exchangeOf())
  expect(traffic.side(['search'], 'new')).toEqual({ requestsPerMinute: 30, writesPerMinute: 0, perSecond: 0.5 })
  clock.advance(60_000)
  expect(traffic.side(['search'], 'new')).toMatchObject({ requestsPerMinute: 15, perSecond: 0.5 })
  clock.advance(10_000)
  expect(traffic.side(['search'], 'new').perSecond).toBe(0)
  clock.advance(300_000)
  expect(traffic.side(['search'], 'new').requestsPerMinute).toBe(0)
})

test('each side has its own errors and latencies, of the requests of clients alone', () => {
  const { clock, traffic } = trafficAt()
  for (let i = 0; i < 95; i += 1) traffic.ended(outcomeOf({ status: 200, firstByteMs: 10 }))
  for (let i = 0; i < 5; i += 1) traffic.ended(outcomeOf({ status: 500, firstByteMs: 1000 }))
  traffic.ended(outcomeOf({ upstream: 'monolith', blame: 'upstream', end: 'noAnswer' }))
  traffic.ended(outcomeOf({ role: 'shadow', status: 500, firstByteMs: 9000 }))
  const { errorShare, p95Ms } = traffic.side(['search'], 'new')
  expect(errorShare).toBe(0.05)
  expect(p95Ms).toBeGreaterThanOrEqual(10)
  expect(p95Ms).toBeLessThan(11.1)
  expect(traffic.side(['search'], 'old').errorShare).toBe(1)
  clock.advance(70_000)
  expect(traffic.side(['search'], 'new')).toEqual({ requestsPerMinute: 0, writesPerMinute: 0, perSecond: 0 })
})

test('writes that the new side took are counted, whatever became of their answers', () => {
  const { traffic } = trafficAt()
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE']) traffic.sent(exchangeOf({ method }))
  traffic.sent(exchangeOf({ method: 'POST', upstream: monolith }))
  traffic.sent(exchangeOf({ method: 'POST', role: 'shadow' }))
  expect(traffic.writesTaken(['search'])).toMatchObject({ total: 2, byRoute: { search: 2 } })
})

test('they are counted from when the new side began to answer, through every raise of its share', () => {
  const { clock, traffic } = trafficAt()
  traffic.sent(exchangeOf({ method: 'POST' }))
  clock.advance(5_000)
  traffic.turned(turn(0, 500))
  traffic.sent(exchangeOf({ method: 'POST' }))
  clock.advance(5_000)
  traffic.turned(turn(500, 1000))
  traffic.sent(exchangeOf({ method: 'POST' }))
  traffic.turned(turn(1000, 0))
  const countedSince = Date.parse('2026-01-02T03:04:10Z')
  expect(traffic.writesTaken(['search'])).toEqual({ total: 2, byRoute: { search: 2 }, countedSince })
})

test('the load of an upstream is that of all routes and all roles, and its busiest minute is remembered for an hour', () => {
  const { clock, traffic } = trafficAt()
  const other = reportOf({ route: snapshot.unmatched, exchange: { upstream: monolith } }).exchange
  for (let slot = 0; slot < 6; slot += 1) {
    for (let i = 0; i < 10; i += 1) traffic.sent(i % 2 ? other : exchangeOf({ upstream: monolith, role: 'shadow' }))
    clock.advance(10_000)
  }
  clock.advance(1_800_000)
  expect(traffic.load('monolith')).toEqual({ perMinute: 0, mostPerMinute: 60 })
  clock.advance(1_800_000)
  expect(traffic.load('monolith')).toEqual({ perMinute: 0, mostPerMinute: 0 })
})

test('what the file no longer has is forgotten, and what it never had is not counted', () => {
  const { traffic } = trafficAt()
  traffic.sent(exchangeOf({ method: 'POST' }))
  traffic.follow(snapshotOf({ routes: [] }))
  traffic.sent(exchangeOf({ method: 'POST' }))
  traffic.follow(snapshot)
  expect(traffic.writesTaken(['search']).total).toBe(0)
})
