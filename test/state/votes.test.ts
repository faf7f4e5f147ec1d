// The breakers of three replicas that share one real Redis: a majority opens for all, one tries for all, and who sees failures alone
// is alone. Time stands still until the test moves it on.
import { expect, test } from 'vitest'
import type { Breaker, BreakerSettings, Permit } from '../../gateway/model.ts'
import { type BreakerBook, type BreakerTurn, createBreakers } from '../../gateway/state/breakers.ts'
import { createVotes, type SharedVotes } from '../../gateway/state/sharing/votes.ts'
import type { Store } from '../../gateway/state/store.ts'
import { frozenClock, snapshotOf, upstreamAt } from '../ops/world.ts'
import { becomes, openStore, until as polled, redisForTest } from './store/stores.ts'

const settings: BreakerSettings = {
  errorShareBasisPoints: 5_000,
  minRequests: 4,
  windowMs: 10_000,
  openMs: 10_000,
  engine: 'own',
}

interface Member {
  readonly book: BreakerBook
  readonly breaker: Breaker
  readonly turns: BreakerTurn[]
  readonly votes: SharedVotes
  readonly store: Store
  fail(): void
}

async function fleetOf(size: number, engine: BreakerSettings['engine'] = 'own') {
  const redis = await redisForTest()
  const clock = frozenClock(Date.now())
  const ids = Array.from({ length: size }, (_, i) => `r${i}`)
  let living = new Set(ids)
  const upstream = { ...upstreamAt('search'), breaker: { ...settings, engine } }
  const memberOf = async (id: string): Promise<Member> => {
    const store = await openStore(redis.url, { replicaId: id })
    const turns: BreakerTurn[] = []
    const onFailure = (thrown: unknown) => expect(thrown).toBeUndefined()
    const votes = createVotes({ id, clock, living: () => living, size: () => living.size, onFailure })
    const book = createBreakers({ clock, random: () => 0.5, votes, turned: (turn) => turns.push(turn) })
    votes.open(store)
    const breaker = book.of(upstream.targets, upstream.breaker)
    book.follow(snapshotOf({ upstreams: [upstream] }))
    const fail = () => {
      for (let i = 0; i < settings.minRequests; i++) breaker.acquire()?.report('failed', 1)
    }
    return { book, breaker, turns, votes, store, fail }
  }
  const members = await Promise.all(ids.map(memberOf))
  return {
    redis,
    clock,
    members,
    join: memberOf,
    leave(...left: string[]) {
      living = new Set([...living].filter((id) => !left.includes(id)))
    },
  }
}

const until = (isSo: () => unknown) => polled(async () => (await isSo()) === true)
const stateOf = ({ book }: Member) => book.views()[0]?.state
const statesOf = (members: readonly Member[]) => members.map(stateOf)
const fleetSeenBy = ({ book }: Member) => book.views()[0]?.fleet

/** Every replica asks at once, again and again, until somebody may go. */
async function trialOf(members: readonly Member[]): Promise<{ readonly by: Member; readonly permit: Permit }> {
  const given: { by: Member; permit: Permit }[] = []
  await until(() => {
    for (const by of members) {
      const permit = by.breaker.acquire()
      if (permit) given.push({ by, permit })
    }
    return given.length > 0
  })
  expect(given).toHaveLength(1)
  const [first] = given
  if (!first) throw new Error('no trial')
  return first
}

async function openedBy(count: number, size = 3) {
  const fleet = await fleetOf(size)
  for (const member of fleet.members.slice(0, count)) member.fail()
  await until(() => fleet.members.every((member) => stateOf(member) === 'open' && fleetSeenBy(member)?.isOpen))
  return fleet
}

test('two of three that see it fail open it for the third, which says by whom', async () => {
  const { members } = await openedBy(2)
  const [first, , third] = members
  const reason = 'by the fleet: 2 of 3 replicas hold it open'
  expect(third?.turns).toMatchObject([{ upstream: 'search', from: 'closed', to: 'open', reason, isFleets: true }])
  expect(first?.turns).toMatchObject([{ to: 'open', reason: '4 of 4 requests within 10 s failed' }])
  expect(third?.book.views()).toMatchObject([
    { reason, turns: { open: 1 }, fleetTurns: { open: 1 }, fleet: { isOpen: true, votes: 2, replicas: 3 } },
  ])
  expect(first?.book.views()).toMatchObject([{ turns: { open: 1 }, fleetTurns: { open: 0 } }])
})

test('one whose network is broken opens only its own, and tries by itself', async () => {
  const { members, clock } = await fleetOf(3)
  const [first, second] = members
  if (!first || !second) throw new Error('no members')
  first.fail()
  await until(() => fleetSeenBy(second)?.votes === 1)
  expect([statesOf(members), fleetSeenBy(second)?.isOpen]).toEqual([['open', 'closed', 'closed'], false])
  clock.advance(10_000)
  first.breaker.acquire()?.report('failed', 1)
  clock.advance(20_000)
  first.breaker.acquire()?.report('fine', 1)
  await until(() => fleetSeenBy(second) === undefined)
  expect(statesOf(members)).toEqual(['closed', 'closed', 'closed'])
  expect(second.turns).toEqual([])
})

test('one trial is let through for all, and when it is answered well all go on', async () => {
  const { members, clock } = await openedBy(2)
  clock.advance(9_999)
  expect(members.map(({ breaker }) => breaker.acquire())).toEqual([undefined, undefined, undefined])
  clock.advance(1)
  const { by, permit } = await trialOf(members)
  for (let i = 0; i < 50; i++) {
    expect(members.map(({ breaker }) => breaker.acquire())).toEqual([undefined, undefined, undefined])
    for (const { votes } of members) votes.round()
    await new Promise(setImmediate)
  }
  permit.report('fine', 1)
  await until(() => members.every((member) => stateOf(member) === 'closed'))
  for (const member of members.filter((one) => one !== by))
    expect(member.turns.at(-1)).toMatchObject({
      to: 'closed',
      isFleets: true,
      reason: expect.stringMatching(/^by the fleet: the trial of r\d was answered well$/),
    })
})

test('a trial that fails makes all wait twice as long, whose own window ever opened it', async () => {
  const { members, clock } = await openedBy(2)
  clock.advance(10_000)
  const { permit } = await trialOf(members)
  permit.report('failed', 1)
  await until(() => members.every(({ breaker }) => breaker.retryInMs() > 10_000))
  expect(members.map(({ breaker }) => breaker.retryInMs())).toEqual([20_000, 20_000, 20_000])
  clock.advance(20_000)
  const next = await trialOf(members)
  next.permit.report('failed', 1)
  await until(() => members.every(({ breaker }) => breaker.retryInMs() === 40_000))
})

test('a trial that hangs keeps the others waiting no longer than `open`', async () => {
  const { members, clock } = await openedBy(2)
  clock.advance(10_000)
  const { by } = await trialOf(members)
  const others = members.filter((one) => one !== by)
  await until(() => others.every(({ breaker }) => breaker.acquire() === undefined))
  clock.advance(10_000)
  const next = await trialOf(others)
  next.permit.report('fine', 1)
  await until(() => members.every((member) => stateOf(member) === 'closed'))
})

test('where nobody asks one is given the turn all the same, so that the next request is a trial', async () => {
  const { members, clock } = await openedBy(2)
  clock.advance(12_000)
  const [first] = members
  const trialBy = async () => {
    const [document] = (await first?.store.all('breakers'))?.byKey.values() ?? []
    return (document?.value as { trial?: { by: string } } | undefined)?.trial?.by
  }
  for (const { votes } of members) votes.round()
  await until(async () => (await trialBy()) !== undefined)
  const whose = members[Number((await trialBy())?.slice(1))]
  await until(() => whose?.breaker.acquire() !== undefined)
  for (const other of members) if (other !== whose) expect(other.breaker.acquire()).toBeUndefined()
})

test.each(['killed', 'frozen'] as const)('with a Redis that is %s each goes alone', async (how) => {
  const { members, clock, redis } = await openedBy(2)
  if (how === 'killed') await redis.kill()
  else redis.freeze()
  clock.advance(10_000)
  // Whoever is asked answers at once, and asks the store behind that.
  const early = members.map(({ breaker }) => breaker.acquire())
  await Promise.all(members.map(({ store }) => becomes(store, 'down')))
  const permits = members.map(({ breaker }, i) => early[i] ?? breaker.acquire())
  expect(permits.filter((permit) => permit === undefined)).toEqual([])
  for (const permit of permits) permit?.report('fine', 1)
  expect(statesOf(members)).toEqual(['closed', 'closed', 'closed'])
  redis.thaw()
})

test('what was voted while the store was away is said once it is back', async () => {
  const { members, redis } = await fleetOf(3)
  await redis.kill()
  await Promise.all(members.map(({ store }) => becomes(store, 'down')))
  for (const member of members.slice(0, 2)) member.fail()
  expect(statesOf(members)).toEqual(['open', 'open', 'closed'])
  await redis.restart()
  await Promise.all(members.map(({ store }) => becomes(store, 'up')))
  await until(() => {
    for (const { votes } of members) votes.round()
    return members.every((member) => stateOf(member) === 'open')
  })
})

test('who comes later is told, and who goes makes the majority a smaller one', async () => {
  const { members, join, leave } = await fleetOf(2)
  const [first] = members
  first?.fail()
  await until(() => members.every((member) => fleetSeenBy(member)?.votes === 1))
  expect(statesOf(members)).toEqual(['open', 'closed'])
  leave('r1')
  first?.votes.round()
  const late = await join('r2')
  await until(() => stateOf(late) === 'open')
})

test('who has no such upstream any more holds nothing open for others', async () => {
  const { members } = await fleetOf(3)
  const [first, second] = members
  if (!first || !second) throw new Error('no members')
  first.fail()
  await until(() => fleetSeenBy(second)?.votes === 1)
  first.book.follow(snapshotOf({ upstreams: [] }))
  await until(() => fleetSeenBy(second) === undefined)
})

test('opossum obeys too', async () => {
  const { members } = await fleetOf(3, 'opossum')
  for (const member of members.slice(0, 2)) member.fail()
  await until(() => members.every((member) => stateOf(member) === 'open'))
  expect(members[2]?.turns).toMatchObject([{ to: 'open', isFleets: true }])
})

test('nothing is left in the store of what is over', async () => {
  const { members, clock } = await openedBy(2)
  clock.advance(10_000)
  const { permit } = await trialOf(members)
  permit.report('fine', 1)
  await until(() => members.every((member) => stateOf(member) === 'closed'))
  clock.advance(60_001)
  for (const { votes } of members) votes.round()
  await until(async () => (await members[0]?.store.all('breakers'))?.byKey.size === 0)
})
