// The port through which the operators' listeners see the running gateway. main.ts gives it to them.
// The danger it guards against: an operator's page that reaches into the data path and holds or changes it.
import type { Clock, Problem, Snapshot } from '../model.ts'
import type { Health } from './health.ts'
import type { Metrics } from './metrics.ts'

/** What one reading of routes.yaml came to. */
export interface ReloadResult {
  readonly accepted: boolean
  /** The revision that serves now; undefined when none does. */
  readonly revision?: number | undefined
  /** Errors when it was refused, and the warnings of either. */
  readonly problems: readonly Problem[]
}

/** What operators may know of the running gateway, and the one thing that they may do to it. */
export interface Gateway {
  readonly version: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Undefined before the first Snapshot. */
  snapshot(): Snapshot | undefined
  /** The Problems of the newest file when it was refused; none once a file is accepted. */
  problems(): readonly Problem[]
  /** Remedies for what the running gateway noticed (a private proxy that is not trusted), as sentences. */
  hints(): readonly string[]
  isDraining(): boolean
  reload(): Promise<ReloadResult>
}

/** What the admin listener is given. */
export interface AdminPorts {
  readonly gateway: Gateway
  readonly health: Health
  readonly metrics: Metrics
  readonly clock: Clock
}
