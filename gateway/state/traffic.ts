// What each side of each Route has been asked lately, and the writes that the new sides have taken: what a plan and a rollback
// are judged by. Of this process, in memory. Counted where an attempt leaves for its Upstream: nobody else knows its method
// and its side, and a write whose answer never came may have been carried out all the same.
// The danger it guards against: a rollback that silently leaves behind what clients have written.
import type { Clock, Exchange, Outcome, Side, Snapshot } from '../model.ts'
import { binOf, binStartMs, latencyBins } from '../rollout/counts.ts'
import { isSafe } from '../rollout/writes.ts'
import type { RolloutChange } from './rolloutBook.ts'
import { aMinute, anHour, Slots } from './slots.ts'

/** What clients asked one side of some Routes: per minute over the last five, the rest over the last one. */
export interface SideTraffic {
  readonly requestsPerMinute: number
  readonly writesPerMinute: number
  readonly perSecond: number
  /** 0–1, of the clients' own requests; undefined without any. */
  readonly errorShare?: number
  /** To the answer's head; undefined without any. */
  readonly p95Ms?: number
}

export interface Load {
  readonly perMinute: number
  /** In any minute of the last hour. */
  readonly mostPerMinute: number
}

/** Writes that the new side may have carried out since it began to answer clients. */
export interface WritesTaken {
  readonly total: number
  readonly byRoute: Readonly<Record<string, number>>
  /** Milliseconds since the epoch from which on they are counted: this process may be younger than the move. */
  readonly countedSince: number
}

export interface Traffic {
  /** An attempt begins. */
  sent(exchange: Exchange): void
  /** An attempt has ended. */
  ended(outcome: Outcome): void
  /** A side that begins to answer clients has taken no writes yet. */
  turned(change: Pick<RolloutChange, 'rollout' | 'from' | 'to'>): void
  /** Counts what this Snapshot has, and forgets what it has not. */
  follow(snapshot: Pick<Snapshot, 'routes' | 'unmatched' | 'upstreams'>): void
  side(routes: readonly string[], side: Side): SideTraffic
  load(upstream: string): Load
  writesTaken(routes: readonly string[]): WritesTaken
}

/** Requests per minute are measured over five of them. */
const fewMinutes = 5 * (aMinute - 1) + 1

const count = { requests: 0, writes: 1, ended: 2, errors: 3 } as const
const countsOfASide = 4

interface SideCounts {
  readonly counts: Slots
  readonly latencies: Slots
}

interface RouteCounts extends Record<Side, SideCounts> {
  /** The name of the new side. */
  to: string | undefined
  writesTaken: number
  countedSince: number
}

export function createTraffic(clock: Clock): Traffic {
  const routes = new Map<string, RouteCounts>()
  const loads = new Map<string, Slots>()
  const known = (names: readonly string[]) => names.flatMap((name) => routes.get(name) ?? [])
  return {
    sent({ route, upstream, method, role }) {
      const nowMs = clock.now()
      loads.get(upstream.name)?.increment(0, nowMs)
      const counted = routes.get(route.name)
      // What only looks is a load, but nobody's request.
      if (!counted || role === 'shadow' || role === 'noise') return
      const { counts } = counted[sideOf(counted, upstream.name)]
      counts.increment(count.requests, nowMs)
      if (isSafe(method)) return
      counts.increment(count.writes, nowMs)
      if (upstream.name === counted.to) counted.writesTaken += 1
    },
    ended(outcome) {
      const counted = outcome.role === 'primary' ? routes.get(outcome.route) : undefined
      if (counted) tally(counted[sideOf(counted, outcome.upstream)], outcome, clock.now())
    },
    turned({ rollout, from, to }) {
      if (from.shareBasisPoints > 0 || to.shareBasisPoints === 0) return
      for (const counted of known(rollout.routes)) {
        counted.writesTaken = 0
        counted.countedSince = clock.wall()
      }
    },
    follow({ routes: declared, unmatched, upstreams }) {
      const all = [...declared, unmatched]
      for (const { name, move } of all) {
        const counted = routes.get(name) ?? newRoute(clock)
        counted.to = move?.to.name
        routes.set(name, counted)
      }
      for (const name of upstreams.keys()) if (!loads.has(name)) loads.set(name, new Slots(anHour, 1, clock.now()))
      keepOnly(routes, new Set(all.map(({ name }) => name)))
      keepOnly(loads, upstreams)
    },
    side: (names, side) =>
      trafficOf(
        known(names).map((counted) => counted[side]),
        clock.now(),
      ),
    load(upstream) {
      const slots = loads.get(upstream)
      const nowMs = clock.now()
      const perMinute = Math.round(slots?.perMinute(0, fewMinutes, nowMs) ?? 0)
      return { perMinute, mostPerMinute: Math.max(perMinute, slots?.mostPerMinute(0, nowMs) ?? 0) }
    },
    writesTaken(names) {
      const counted = known(names)
      return {
        total: sumOf(counted, ({ writesTaken }) => writesTaken),
        byRoute: Object.fromEntries(names.map((name) => [name, routes.get(name)?.writesTaken ?? 0])),
        countedSince: Math.max(...counted.map(({ countedSince }) => countedSince), 0),
      }
    },
  }
}

function newRoute(clock: Clock): RouteCounts {
  const nowMs = clock.now()
  const side = () => ({
    counts: new Slots(fewMinutes, countsOfASide, nowMs),
    latencies: new Slots(aMinute, latencyBins, nowMs),
  })
  return { old: side(), new: side(), to: undefined, writesTaken: 0, countedSince: clock.wall() }
}

function sideOf({ to }: RouteCounts, upstream: string): Side {
  return upstream === to ? 'new' : 'old'
}

function tally({ counts, latencies }: SideCounts, { status, blame, firstByteMs }: Outcome, nowMs: number): void {
  counts.increment(count.ended, nowMs)
  if (blame === 'upstream' || blame === 'gateway' || (status ?? 0) >= 500) counts.increment(count.errors, nowMs)
  if (firstByteMs !== undefined) latencies.increment(binOf(firstByteMs), nowMs)
}

function trafficOf(sides: readonly SideCounts[], nowMs: number): SideTraffic {
  const rate = (index: number, slots: number) => sumOf(sides, ({ counts }) => counts.perMinute(index, slots, nowMs))
  const lately = (index: number) => sumOf(sides, ({ counts }) => counts.sum(index, aMinute, nowMs))
  const ended = lately(count.ended)
  const p95Ms = percentileOf(sides, 0.95, nowMs)
  return {
    requestsPerMinute: rounded(rate(count.requests, fewMinutes)),
    writesPerMinute: rounded(rate(count.writes, fewMinutes)),
    perSecond: rounded(rate(count.requests, aMinute) / 60),
    ...(ended > 0 && { errorShare: lately(count.errors) / ended }),
    ...(p95Ms !== undefined && { p95Ms: rounded(p95Ms) }),
  }
}

/** At the upper end of its bin, which is at most 10 % too much. */
function percentileOf(sides: readonly SideCounts[], share: number, nowMs: number): number | undefined {
  const bins = Array.from({ length: latencyBins }, (_, bin) =>
    sumOf(sides, ({ latencies }) => latencies.sum(bin, aMinute, nowMs)),
  )
  const total = sumOf(bins, (of) => of)
  let sum = 0
  const found = bins.findIndex((of) => {
    sum += of
    return sum >= total * share
  })
  return total === 0 ? undefined : binStartMs(found + 1)
}

function sumOf<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0)
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}

function keepOnly(map: Map<string, unknown>, names: { has(name: string): boolean }): void {
  for (const name of map.keys()) if (!names.has(name)) map.delete(name)
}
