// What is asked of the guards, and what they need for it.
// The danger it guards against: a guard that reaches for the clock or the store by itself, and cannot be tested.
import type { Clock, Decision, Outcome, RolloutDeclaration, Snapshot } from '../model.ts'
import type { Span } from '../rollout/spans.ts'
import type { Verdict } from '../rollout/verdict.ts'
import type { Baselines } from './baselines.ts'
import type { RolloutBook, RolloutState } from './rolloutBook.ts'

export interface Watched {
  readonly verdict: Verdict
  /** Since when it has been that result; milliseconds since the epoch. */
  readonly sinceMs: number
  readonly checkedAtMs: number
}

/** What a verdict is made from. */
export interface Seen {
  readonly spans: readonly Span[]
  /** The failures in a row of each side. */
  readonly rows: { readonly candidate: number; readonly control: number }
}

export interface Guards {
  observe(outcome: Outcome): void
  /** Two answers were compared. */
  compared(rollout: RolloutDeclaration, isSame: boolean): void
  /** The breaker before that Upstream has opened. */
  breakerOpened(upstream: string): void
  /** Follows the moves of the Snapshot that is served from now on. */
  follow(snapshot: Pick<Snapshot, 'routes'>): void
  /** Judges every move; called each second. */
  tick(): void
  /** The newest verdict; undefined where nothing is judged. */
  verdictOf(key: string): Watched | undefined
  /** Of the answers compared since the rollout came to stand where it does. */
  comparedOf(key: string): { readonly compared: number; readonly mismatched: number } | undefined
  /** What this process saw of both sides lately; undefined where nothing is judged. */
  seenOf(key: string): Seen | undefined
}

export interface GuardParts {
  readonly clock: Clock
  readonly rollouts: RolloutBook
  readonly baselines: Baselines
  /** Something is wrong that no rollback mends, or that must not be rolled back by itself; told when it begins. */
  alarm(rollout: RolloutDeclaration, decision: Decision): void
  /** What the other replicas saw while it stood there; undefined while that is not known. */
  others?(state: RolloutState): Seen | undefined
}
