// What operators and the guard decide beside the file, as types; model.ts passes them on. Imports nothing but the other words.
// The danger they guard against: a decision without its author, its reason and the moment it was made.
import type { Standing } from './rollout.ts'

/** Plain values, as they are written to disk and sent to operators. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Who decides what, and why. */
export interface Decision {
  /** `guard`, `steps`, or who gave the order. */
  readonly by: string
  /** A sentence. */
  readonly reason: string
  /** The figures that it rests on. */
  readonly evidence?: Json
}

interface Recorded extends Decision {
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** All new requests go to the old side, until `ack` or an edit that asks for no more than `to`. */
export interface RollbackOverride extends Recorded {
  readonly from: Standing
  readonly to: Standing
  /** Of the move's keys as they were. */
  readonly hash: string
}

/** Nothing raises the standing above `held`. */
export interface PauseOverride extends Recorded {
  readonly held: Standing
}

/** Further than the file says, by a step or a promotion whose edit is still to come; void once the file declares another standing. */
export interface AdvanceOverride extends Recorded {
  readonly to: Standing
  readonly declared: Standing
}

export interface Overrides {
  readonly rollback?: RollbackOverride
  readonly pause?: PauseOverride
  readonly advance?: AdvanceOverride
}
