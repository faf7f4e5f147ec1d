// The run in its parts: before the move, while the new side is live, after the move back, and what was under way while
// the route was being moved. Pure.
// The danger it guards against: one figure for a whole run, in which a bad minute disappears among good ones.
import { type Spread, spreadOf } from './percentiles.ts'
import { type Outcome, outcomes, type SentRequest } from './traffic.ts'

export type PhaseName = 'before' | 'during' | 'after' | 'around the flips'

export interface Phase {
  readonly name: string
  readonly requests: number
  readonly outcomes: Readonly<Record<Outcome, number>>
  /** From the scheduled time to the last byte, in milliseconds: of all right answers, and of the moving route's. */
  readonly latencyMs: Spread | undefined
  readonly movingLatencyMs: Spread | undefined
  /** Requests by the side that had them; `gateway` for what no side had and the gateway answered, else `nobody`. */
  readonly answeredBy: Readonly<Record<string, number>>
  /** The moving route's alone. */
  readonly movingAnsweredBy: Readonly<Record<string, number>>
}

export interface Window {
  readonly from: number
  readonly to: number
}

export interface Told {
  readonly movingKinds: ReadonlySet<string>
  /** The sides whose ledgers have an id. */
  readonly sidesOf: (id: string) => readonly string[]
}

export interface PhasesPlan extends Told {
  readonly records: readonly SentRequest[]
  /** When the route was being moved: over, and back; ascending. Whatever was under way then was around a flip. */
  readonly windows: readonly Window[]
}

const names: readonly PhaseName[] = ['before', 'during', 'after', 'around the flips']

/** Each request belongs to exactly one part. */
export function phasesOf({ records, windows, ...told }: PhasesPlan): readonly Phase[] {
  return names.map((name) =>
    phaseOf(
      name,
      records.filter((record) => partOf(record, windows) === name),
      told,
    ),
  )
}

/** @param own all requests of that part */
export function phaseOf(name: string, own: readonly SentRequest[], { movingKinds, sidesOf }: Told): Phase {
  const moving = own.filter(({ kind }) => movingKinds.has(kind))
  const answerer = (record: SentRequest) => sidesOf(record.id)[0] ?? (record.status > 0 ? 'gateway' : 'nobody')
  return {
    name,
    requests: own.length,
    outcomes: { ...noOutcomes(), ...countBy(own, ({ outcome }) => outcome) },
    latencyMs: latencyOf(own),
    movingLatencyMs: latencyOf(moving),
    answeredBy: countBy(own, answerer),
    movingAnsweredBy: countBy(moving, answerer),
  }
}

function partOf({ sentAt, endedAt }: SentRequest, windows: readonly Window[]): PhaseName | undefined {
  if (windows.some(({ from, to }) => sentAt <= to && endedAt >= from)) return 'around the flips'
  return names[windows.filter(({ to }) => sentAt > to).length]
}

export function countBy<T>(list: readonly T[], key: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of list) counts[key(item)] = (counts[key(item)] ?? 0) + 1
  return counts
}

function noOutcomes(): Record<Outcome, number> {
  return Object.fromEntries(outcomes.map((outcome) => [outcome, 0])) as Record<Outcome, number>
}

function latencyOf(records: readonly SentRequest[]): Spread | undefined {
  return spreadOf(
    records.filter(({ outcome }) => outcome === 'ok').map(({ scheduledAt, endedAt }) => endedAt - scheduledAt),
  )
}
