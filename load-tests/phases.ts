// The run in three parts: before the move, while the new side is live, after the move back. Pure.
// The danger it guards against: one figure for a whole run, in which a bad minute disappears among good ones.
import { type Spread, spreadOf } from './percentiles.ts'
import { type Outcome, outcomes, type SentRequest } from './traffic.ts'

export type PhaseName = 'before' | 'during' | 'after'

export interface Phase {
  readonly name: PhaseName
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

export interface PhasesPlan {
  readonly records: readonly SentRequest[]
  /** When the new side was shown to be live, and when the old one was again. */
  readonly shownAt: readonly number[]
  readonly movingKinds: ReadonlySet<string>
  /** The sides whose ledgers have an id. */
  readonly sidesOf: (id: string) => readonly string[]
}

const names: readonly PhaseName[] = ['before', 'during', 'after']

/** Each request belongs to the part in which it was scheduled. */
export function phasesOf({ records, shownAt, movingKinds, sidesOf }: PhasesPlan): readonly Phase[] {
  return names.map((name, i) => {
    const from = i === 0 ? Number.NEGATIVE_INFINITY : (shownAt[i - 1] ?? Number.POSITIVE_INFINITY)
    const to = shownAt[i] ?? Number.POSITIVE_INFINITY
    const own = records.filter(({ scheduledAt }) => scheduledAt >= from && scheduledAt < to)
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
  })
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
