// What can be asked of the rollouts and ordered, and what is told of each change.
// The danger it guards against: an order that is refused without a word of what to do instead.

import type { Rollouts } from '../model/ports.ts'
import type { Decision, Effective, Overrides, RolloutDeclaration, Snapshot, Standing } from '../model.ts'
import type { Circumstances } from '../rollout/effective.ts'
import type { DecisionKind, Step } from '../rollout/shared.ts'

/** One change of where a Rollout stands, or of what is decided about it. */
export interface RolloutChange extends Decision {
  readonly kind: DecisionKind
  readonly rollout: RolloutDeclaration
  readonly from: Effective
  readonly to: Effective
  /** Another replica has decided it, and has recorded it. */
  readonly isRemote?: true
}

export interface RolloutState {
  readonly rollout: RolloutDeclaration
  readonly effective: Effective
  readonly overrides: Overrides
  /** Milliseconds since the epoch at which it came to stand there. */
  readonly since: number
}

/** Why an order is not carried out, as a sentence with the remedy. */
export class Refusal extends Error {}

export interface RolloutBook extends Rollouts {
  /** Reads what stateDir remembers; once. Before it nothing is known of any rollout. @returns whether it remembers anything */
  open(stateDir: string): Promise<boolean>
  /** What a new reading would leave without its rollback, as sentences. */
  orphans(next: ReadonlyMap<string, RolloutDeclaration>): readonly string[]
  /** Takes over the declarations of the Snapshot that is served from now on. */
  declare(snapshot: Pick<Snapshot, 'rollouts'>): void
  breakGlass(legacy: Circumstances['brokenGlass']): void
  /** New requests go to the old side at once; the promise is that it is written down. @throws Refusal */
  rollBack(key: string, decision: Decision): Promise<void>
  /** @throws Refusal */
  pause(key: string, decision: Decision): Promise<void>
  /** @throws Refusal */
  resume(key: string, decision: Decision): Promise<void>
  /** Ends the rollback: the file holds again. @throws Refusal */
  acknowledge(key: string, decision: Decision): Promise<void>
  /** Goes further than the file says, until the file says something else. @throws Refusal */
  advance(key: string, to: Standing, decision: Decision): Promise<void>
  states(): readonly RolloutState[]
  /** @throws Refusal when there is none of that name */
  state(key: string): RolloutState
  onChange(listener: (change: RolloutChange) => void): void
  /** What is decided about each rollout, also about those that the file does not have. */
  overrides(): ReadonlyMap<string, Overrides>
  /** Takes over what is decided elsewhere, as far as the file lets it stand; whoever listens hears that it is remote. */
  adopt(key: string, overrides: Overrides, change: Pick<RolloutChange, 'kind'> & Decision): void
  /** Whether what was decided elsewhere could be read. */
  know(isKnown: boolean): void
  /** Identities fall into buckets under this one from now on. Rejects when it cannot be kept for the next start. */
  useSplitKey(key: string): Promise<void>
  /** Hears of what is decided here and changes an override. */
  onDecision(listener: (step: Step) => void): void
  /** When all that was decided is written down, or has failed to be. */
  written(): Promise<void>
}
