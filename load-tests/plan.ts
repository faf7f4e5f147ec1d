// What a cutover is to be, and what it is once it has begun.
// The danger it guards against: a setting that the run obeys and the report does not name.
import type { FaultKind } from './fault.ts'
import type { Site } from './site.ts'

export interface CutoverPlan {
  readonly ratePerSecond: number
  readonly seconds: number
  readonly seed: number
  readonly fault?: FaultKind | undefined
  /** A site that is there already; without it one is started. */
  readonly given?: Pick<Site, 'gateway' | 'admin' | 'configFile'> | undefined
  /** How long autocannon measures before the run, in whole seconds; 0: not at all. */
  readonly throughputSeconds: number
  /** Where the access log of a gateway that is started here goes. */
  readonly logFile: string
  /** Told each line of progress. */
  readonly say: (line: string) => void
}

/** A plan under way. */
export interface Begun extends CutoverPlan {
  readonly startedAt: Date
  /** Every id of the run begins so. */
  readonly runId: string
  readonly signal: AbortSignal
}
