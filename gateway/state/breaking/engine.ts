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
  /** Whether other replicas have brought it about. */
  readonly isFleets?: true
}

export interface EngineParts {
  readonly settings: BreakerSettings
  /** Monotonic milliseconds. */
  readonly now: () => number
  /** In [0, 1). */
  readonly random: () => number
  /** Whether it is this replica's turn to try, now that it is time; answers at once. */
  readonly mayTry: () => boolean
  turned(turn: Turn): void
}

/** What the fleet has decided about a circuit. */
export type FleetWord =
  | { readonly to: 'open'; readonly forMs: number; readonly reason: string }
  | { readonly to: 'closed'; readonly reason: string }

export interface Engine extends Breaker {
  state(): CircuitState
  /** Does what the fleet has decided, whatever its own window says; what began before counts no more. */
  obey(word: FleetWord): void
  /** Nobody will ask for it again; who holds it still may use it. */
  retire(): void
}

export type CreateEngine = (parts: EngineParts) => Engine
