// What a rollback run is to be, and what it is once it has begun.
// The danger it guards against: a setting that the run obeys and the report does not name.
import type { candidateFaults } from '../fault.ts'

export type CandidateFault = (typeof candidateFaults)[number]

export interface RollbackPlan {
  /** Requests of the route, of which the candidate takes `share`. */
  readonly ratePerSecond: number
  readonly seconds: number
  readonly seed: number
  readonly fault: CandidateFault
  /** Of the candidate's answers, from the time on that it begins to fail (0–1). */
  readonly faultShare: number
  /** Within how many milliseconds of its first failure it must be rolled back; undefined: within the run. */
  readonly withinMs: number | undefined
  /** Keys of the route's `guard` in place of the defaults. */
  readonly guard?: Readonly<Record<string, unknown>>
  /** Where the access log of the gateway goes. */
  readonly logFile: string
  /** Told each line of progress. */
  readonly say: (line: string) => void
}

/** A plan under way. */
export interface Begun extends RollbackPlan {
  readonly startedAt: Date
  /** Every id of the run begins so. */
  readonly runId: string
  readonly signal: AbortSignal
}

export const route = 'search'
/** The share of visitors that the candidate answers, in percent. */
export const sharePercent = 50
/** The cookie that tells visitors apart. */
export const visitorCookie = 'visitor'
