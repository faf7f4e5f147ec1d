// Makes the second requests and has their answers compared: bounded, late, and never in a client's way.
// The danger it guards against: a candidate that hangs, floods or crashes the comparison, and is felt by a client.
import type { Compared } from '../comparing/comparison.ts'
import type { Comparer } from '../comparing/pool.ts'
import { type Kept, keepAnswer, type Tapped, tap } from '../message/tap.ts'
import type { Answer, Clock, Comparisons, Leg, RolloutDeclaration } from '../model.ts'
import { ComparisonRecord, type RouteComparisons, type Skipped } from './comparisonRecord.ts'
import { createCookieJars } from './cookieJars.ts'
import { createLegRoom } from './legRoom.ts'

const mostBodyBytes = 256 * 1024

export interface ComparisonBook extends Comparisons {
  /** What is known of that Route's; undefined before its first. */
  view(route: string): RouteComparisons | undefined
  close(): Promise<void>
}

export interface ComparingParts {
  readonly clock: Clock
  readonly comparer: Comparer
  /** Each comparison of the two sides has come to this. */
  compared(rollout: RolloutDeclaration, isSame: boolean): void
}

export function createComparisons(parts: ComparingParts): ComparisonBook {
  const { clock, comparer } = parts
  const room = createLegRoom(clock.now)
  const records = createRecords()
  const recordOf = ({ exchange }: Leg) => records.of(exchange.route.name)
  const make = createMaker(parts, recordOf)
  return {
    admits(leg) {
      const why = room.lack(`${leg.kind} ${leg.exchange.route.name}`, leg.settings.atMostPerSecond)
      if (why) recordOf(leg).skip(why)
      return why === undefined
    },
    make(leg, own) {
      if (!room.enter()) {
        recordOf(leg).skip('full')
        return own
      }
      const tapped = tap(own, mostBodyBytes)
      room.inTurn(`${leg.kind} ${leg.identity}`, async () => {
        await make(leg, tapped).catch(() => recordOf(leg).skip('failed'))
        room.leave()
      })
      return tapped.answer
    },
    view: (route) => records.known(route)?.view(clock.wall()),
    close: () => comparer.close(),
  }
}

function createRecords() {
  const records = new Map<string, ComparisonRecord>()
  return {
    known: (route: string) => records.get(route),
    of(route: string): ComparisonRecord {
      const record = records.get(route) ?? new ComparisonRecord()
      records.set(route, record)
      return record
    },
  }
}

/** What makes one leg and sees to it that it is compared. */
function createMaker({ clock, comparer, compared }: ComparingParts, recordOf: (leg: Leg) => ComparisonRecord) {
  const jars = createCookieJars(clock.wall)

  async function make(leg: Leg, primary: Tapped): Promise<void> {
    const record = recordOf(leg)
    const { exchange } = leg
    const owner = `${exchange.route.move?.rollout.key} ${leg.identity}`
    const fields = leg.kind === 'shadow' ? jars.overlay(owner, exchange.fields) : exchange.fields
    const other = await ask({ ...leg, exchange: { ...exchange, fields } }, clock)
    const own = await within(leg.settings.timeoutMs, primary.kept)
    if (leg.kind === 'shadow' && typeof other !== 'string')
      record.skip('loginDropped', jars.keep(owner, other.answer.fields, leg.loginCookie))
    if (own === undefined) return record.skip('primaryBroke')
    if (typeof other === 'string') {
      record.skip(other)
      // Where the candidate's own answer is there, its absence at the old side says nothing against it.
      return leg.kind === 'shadow' ? tell(leg, false) : undefined
    }
    await compare(leg, record, [comparedOf(primary.answer, own), comparedOf(other.answer, other.kept)])
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
    tell(leg, record.observe(comparison, { at: clock.wall(), requestId, method, path }))
  }

  function tell({ kind, exchange }: Leg, isSame: boolean): void {
    const { move } = exchange.route
    if (move && kind !== 'noise') compared(move.rollout, isSame)
  }

  return make
}

interface Other {
  readonly answer: Answer
  readonly kept: Kept
}

/** The other side's answer, within the leg's time. */
async function ask({ exchange, next, settings }: Leg, clock: Clock): Promise<Other | Skipped> {
  const leaving: (() => void)[] = []
  let isOver = false
  const patience = setTimeout(() => {
    isOver = true
    for (const leave of leaving) leave()
  }, settings.timeoutMs)
  patience.unref()
  const onGone = (listener: () => void) => (isOver ? listener() : void leaving.push(listener))
  try {
    const answer = await next({ ...exchange, onGone })
    // It ends with its time even in mid-body.
    leaving.push(() => answer.discard())
    const kept = await keepAnswer(answer, mostBodyBytes, clock.now)
    if (isOver) return 'timedOut'
    return kept === undefined ? 'unanswered' : { answer, kept }
  } catch {
    return isOver ? 'timedOut' : 'unanswered'
  } finally {
    clearTimeout(patience)
  }
}

/** @returns undefined when that time is over: a stream may go on for ever */
function within<T>(timeoutMs: number, waited: Promise<T>): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const patience = setTimeout(() => resolve(undefined), timeoutMs)
  patience.unref()
  return Promise.race([waited, promise]).finally(() => clearTimeout(patience))
}

function comparedOf({ status, fields }: Answer, body: Kept): Compared {
  return { status, fields: fields.raw, body }
}
