// Makes the second requests and has their answers compared: bounded, late, and never in a client's way.
// The danger it guards against: a candidate that hangs, floods or crashes the comparison, and is felt by a client.
import { setImmediate as afterOthers } from 'node:timers/promises'
import type { Compared } from '../comparing/comparison.ts'
import type { Comparer } from '../comparing/pool.ts'
import { type Kept, keep } from '../message/keep.ts'
import { type Tapped, tap } from '../message/tap.ts'
import type { Comparisons, Leg } from '../model/ports.ts'
import type { Answer, Clock, Exchange, Next, RolloutDeclaration } from '../model.ts'
import { type ComparisonRecord, createRecords, type RouteComparisons, type Skipped } from './comparisonRecord.ts'
import { createCookieJars } from './cookieJars.ts'
import { createLegRoom } from './legRoom.ts'
import { type LegTime, startLegTime } from './legTime.ts'
import { askOther, createCapabilities, mostBodyBytes } from './otherSide.ts'

/** Of a write that is made twice. */
const mostWriteBytes = 64 * 1024

export interface ComparisonBook extends Comparisons {
  /** What is known of that Route's; undefined before its first. */
  view(route: string): RouteComparisons | undefined
  /** Ends the legs under way; none begins any more. */
  close(): Promise<void>
}

export interface ComparingParts {
  readonly clock: Clock
  readonly comparer: Comparer
  readonly forward: Next
  /** The part of what the whole fleet may have that is this gateway's own. */
  shareOf(ofFleet: number): number
  /** Each comparison of the two sides has come to this. */
  compared(rollout: RolloutDeclaration, isSame: boolean): void
}

export function createComparisons(parts: ComparingParts): ComparisonBook {
  const { clock, comparer, shareOf } = parts
  const room = createLegRoom(clock.now, shareOf)
  const records = createRecords(clock.wall)
  const make = createMaker(parts, records.of)
  const times = new Set<LegTime>()
  let isClosed = false

  function start(leg: Leg, primary: Tapped, write: Promise<Kept | undefined> | undefined, leave: () => void): void {
    const turn = leg.jar === undefined ? undefined : `${leg.kind} ${leg.jar}`
    room.inTurn(turn, async () => {
      // The client's answer goes first.
      await afterOthers()
      const time = startLegTime(leg.settings.timeoutMs)
      times.add(time)
      time.onOver(primary.forget)
      if (!isClosed) await make({ leg, primary, write, time }).catch(() => records.of(leg).skip('failed'))
      times.delete(time)
      time.stop()
      primary.forget()
      leave()
    })
  }

  return {
    admit(leg) {
      if (isClosed) return undefined
      const { kind, exchange, settings } = leg
      const why = room.lack(`${kind} ${exchange.route.name}`, settings.atMostPerSecond, exchange.upstream)
      if (why) records.of(leg).skip(why)
      if (why) return undefined
      // A body is kept from now on, so it takes its place now; the others wait for nothing but the primary's answer.
      const leaveEarly = leg.write && room.enter(exchange.upstream)
      const write = leg.write && keep(leg.write.body, mostWriteBytes)
      return {
        make(own) {
          const leave = leaveEarly ?? room.enter(exchange.upstream)
          if (!leave) {
            records.of(leg).skip('full')
            return own
          }
          const primary = tap(own, mostBodyBytes)
          start(leg, primary, write, leave)
          return primary.answer
        },
        drop: () => leaveEarly?.(),
      }
    },
    loginDropped: (route, cookies) => records.named(route).dropLogin('answers', cookies),
    view: (route) => records.known(route)?.view(),
    async close() {
      isClosed = true
      for (const time of times) time.end()
      await comparer.close()
      await room.idle()
    },
  }
}

interface Making {
  readonly leg: Leg
  readonly primary: Tapped
  /** The client's own body, of a write. */
  readonly write: Promise<Kept | undefined> | undefined
  readonly time: LegTime
}

/** What makes one leg and sees to it that it is compared. */
function createMaker(parts: ComparingParts, recordOf: (leg: Leg) => ComparisonRecord) {
  const { clock, comparer, compared, forward } = parts
  const jars = createCookieJars(clock.wall)
  const capabilities = createCapabilities(forward, clock)

  async function make(making: Making): Promise<void> {
    const { leg, primary, time } = making
    const record = recordOf(leg)
    const exchange = await withWrite(making)
    if (typeof exchange === 'string') return record.skip(exchange)
    const [other, own] = await Promise.all([askOther(withJar(leg, exchange), leg.next, time, clock), primary.kept])
    if (typeof other === 'string') capabilities.forget(exchange)
    else keepCookies(leg, other.answer)
    if (own === undefined) return record.skip(time.isOver ? 'primaryLate' : 'primaryBroke')
    if (typeof other === 'string') {
      record.skip(other)
      // Where the candidate's own answer is there, its absence at the old side says nothing against it.
      const wasAsked = other !== 'full' && other !== 'refused'
      return leg.kind === 'shadow' && wasAsked ? tell(leg, false) : undefined
    }
    await compare(leg, record, [comparedOf(primary.answer, own), comparedOf(other.answer, other.kept)])
  }

  /** As it goes on: a write with its body, once the candidate has said that it will not act on it. */
  async function withWrite({ leg, write, time }: Making): Promise<Exchange | Skipped> {
    const { exchange } = leg
    if (!leg.write || !write) return exchange
    const { promise: over, resolve } = Promise.withResolvers<undefined>()
    time.onOver(() => resolve(undefined))
    const body = await Promise.race([write, over])
    if (body === undefined) return 'requestBroke'
    if (body === 'tooLarge') return 'requestTooLarge'
    if (!(await capabilities.isSafe(exchange, leg.write.probe, time))) return 'unproven'
    return { ...exchange, body: body === 'none' ? undefined : body }
  }

  function withJar({ jar }: Leg, exchange: Exchange): Exchange {
    return jar === undefined ? exchange : { ...exchange, fields: jars.overlay(jar, exchange.fields) }
  }

  function keepCookies(leg: Leg, { fields }: Answer): void {
    if (leg.kind !== 'shadow') return
    recordOf(leg).dropLogin('legs', jars.keep(leg.jar, fields, leg.loginCookie))
  }

  async function compare(
    leg: Leg,
    record: ComparisonRecord,
    [own, other]: readonly [Compared, Compared],
  ): Promise<void> {
    const { kind, settings, exchange } = leg
    const [old, candidate] = kind === 'reverse' ? [other, own] : [own, other]
    const comparison = await comparer.compare(old, candidate, settings.rules)
    if (kind === 'noise') return record.observeOld(comparison)
    const { id: requestId, method, path } = exchange
    tell(leg, record.observe(comparison, { requestId, method, path }))
  }

  function tell({ kind, exchange }: Leg, isSame: boolean): void {
    const { move } = exchange.route
    if (move && kind !== 'noise') compared(move.rollout, isSame)
  }

  return make
}

function comparedOf({ status, fields }: Answer, body: Kept): Compared {
  return { status, fields: fields.raw, body }
}
