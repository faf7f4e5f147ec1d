// What an engine of a circuit breaker is, whoever made it. One table of what it must do holds for all of them
// (test/state/breakerTable.ts). The danger it guards against: a breaker that is another one than the operator believes.
import type { Breaker, BreakerSettings, CircuitState } from '../../model.ts'

/** One step from state to state. */
export interface Turn {
  readonly from: CircuitState
  readonly to: CircuitState
  /** A sentence for operators. */
  readonly reason: string
  /** For how long nothing will go there, when it has opened. */
  readonly forMs?: number
}

export interface EngineParts {
  readonly settings: BreakerSettings
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  turned(turn: Turn): void
}

export interface Engine extends Breaker {
  state(): CircuitState
  /** Nobody will ask for it again; who holds it still may use it. */
  retire(): void
}

export type CreateEngine = (parts: EngineParts) => Engine
