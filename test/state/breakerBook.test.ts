// The breakers of a gateway: which upstreams share one, what a reload leaves alone, and what is told of them.
import { expect, test } from 'vitest'
import type { Breaker, BreakerSettings, Target, Upstream } from '../../gateway/model.ts'
import { type BreakerTurn, createBreakers } from '../../gateway/state/breakers.ts'
import { frozenClock, snapshotOf, upstreamAt } from '../ops/world.ts'
import { lonelyVotes } from './lonelyVotes.ts'

const settings: BreakerSettings = {
  errorShareBasisPoints: 5_000,
  minRequests: 2,
  windowMs: 10_000,
  openMs: 10_000,
  engine: 'own',
}

type Guarded = Upstream & { readonly breaker: BreakerSettings }

function guarded(name: string, port = 1, more: Partial<BreakerSettings> = {}, verify = true): Guarded {
  const upstream = upstreamAt(name, port)
  const target = { ...upstream.target, verify }
  return { ...upstream, target, targets: [target], breaker: { ...settings, ...more } }
}

function bookOf() {
  const turns: BreakerTurn[] = []
  const clock = frozenClock()
  const book = createBreakers({
    clock,
    random: () => 0.5,
    votes: lonelyVotes(clock),
    turned: (turn) => turns.push(turn),
  })
  const of = ({ targets, breaker }: Guarded) => book.of(targets, breaker)
  return { book, of, clock, turns, follow: (...upstreams: Upstream[]) => book.follow(snapshotOf({ upstreams })) }
}

const none = { closed: 0, open: 0, halfOpen: 0 }

function open(breaker: Breaker): void {
  for (let i = 0; i < 2; i++) breaker.acquire()?.report('failed', 1)
}

test('a circuit stays as it is from Snapshot to Snapshot, whatever its upstream is called', () => {
  const { of, follow } = bookOf()
  const search = guarded('search')
  follow(search)
  open(of(search))
  const renamed = guarded('finder')
  expect(of(renamed).isClosed()).toBe(false)
  follow(renamed)
  expect(of(renamed).isClosed()).toBe(false)
})

test.each([
  ['another target', guarded('search', 2)],
  ['a certificate that is not verified', guarded('search', 1, {}, false)],
  ['other settings', guarded('search', 1, { openMs: 20_000 })],
])('%s is another circuit', (_, other) => {
  const { of, follow } = bookOf()
  const search = guarded('search')
  follow(search)
  open(of(search))
  expect(of(other).isClosed()).toBe(true)
})

test('several targets are one circuit, in whatever order they are listed; with one more they are another', () => {
  const { of, follow } = bookOf()
  const at = (port: number): Target => upstreamAt('search', port).target
  const [one, other, third] = [at(1), at(2), at(3)]
  const withTargets = (...targets: Target[]): Guarded => ({ ...guarded('search'), targets })
  follow(withTargets(one, other))
  open(of(withTargets(one, other)))
  expect(of(withTargets(other, one)).isClosed()).toBe(false)
  expect(of(withTargets(one)).isClosed()).toBe(true)
  expect(of(withTargets(one, other, third)).isClosed()).toBe(true)
})

test('one that no upstream has any more is forgotten; who holds it goes on with it', () => {
  const { book, of, follow, turns } = bookOf()
  const search = guarded('search')
  follow(search)
  const held = of(search)
  open(held)
  follow(upstreamAt('search'))
  expect([held.isClosed(), of(search).isClosed()]).toEqual([false, true])
  follow(search)
  expect(turns).toHaveLength(1)
  expect(book.views()).toMatchObject([{ state: 'closed', turns: { open: 0 } }])
})

test('one that is let go of has nothing to tell any more, whatever its engine does with it', async () => {
  const { of, follow, turns } = bookOf()
  const search = guarded('search', 1, { engine: 'opossum' })
  follow(search)
  open(of(search))
  await new Promise(setImmediate)
  follow()
  await new Promise(setImmediate)
  expect(turns.map(({ to }) => to)).toEqual(['open'])
})

test('upstreams in one place with the same settings share a circuit, and its turns are told of each', () => {
  const { book, of, follow, turns } = bookOf()
  const [one, two] = [guarded('one'), guarded('two')]
  follow(one, two, upstreamAt('three'))
  open(of(one))
  expect(of(two).isClosed()).toBe(false)
  expect(turns.map(({ upstream, to }) => `${upstream} ${to}`)).toEqual(['one open', 'two open'])
  expect(book.views().map(({ upstream, state }) => `${upstream} ${state}`)).toEqual(['one open', 'two open'])
})

test('a view says since when, why, when a trial may go, and how often it turned', () => {
  const { book, of, follow, clock } = bookOf()
  const search = guarded('search')
  const breaker = of(search)
  follow(search)
  const startedMs = clock.wall()
  expect(book.views()).toEqual([
    { upstream: 'search', state: 'closed', sinceMs: startedMs, turns: none, fleetTurns: none },
  ])
  clock.advance(5_000)
  open(breaker)
  clock.advance(4_000)
  const since = { upstream: 'search', state: 'open', sinceMs: startedMs + 5_000 }
  expect(book.views()).toMatchObject([{ ...since, reason: '2 of 2 requests within 10 s failed', retryInMs: 6_000 }])
  clock.advance(6_000)
  breaker.acquire()?.report('fine', 1)
  expect(book.views()).toMatchObject([{ state: 'closed', turns: { closed: 1, open: 1, halfOpen: 1 } }])
})
