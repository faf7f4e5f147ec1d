// Whether a rollout goes to its next share by itself, and why not.
// The danger it guards against: going on without evidence (nobody came, nobody looked), or while everybody sleeps.
import type { Hours } from './hours.ts'
import type { Result } from './verdict.ts'

export interface Progress {
  /** Ascending. */
  readonly stepsBasisPoints: readonly number[]
  readonly currentBasisPoints: number
  /** Since when this share is effective. All times are ms since the epoch: they outlive the process. */
  readonly enteredAtMs: number
  /** The least time at each share. */
  readonly eachMs: number
  readonly hours?: Hours
  /** The newest verdict, and since when there was no other. Undefined: none yet. */
  readonly verdict?: { readonly result: Result; readonly sinceMs: number }
  /** A pass counts once it has held for so long. */
  readonly windowMs: number
  readonly nowMs: number
}

export type Step =
  | { readonly step: 'advance'; readonly toBasisPoints: number }
  /** The last share is reached. */
  | { readonly step: 'done' }
  /** The verdict is none, or another than pass: an alarm and a fail hold it where it is. */
  | { readonly step: 'inconclusive' | 'alarm' | 'fail' }
  | { readonly step: 'waiting'; readonly untilMs: number }
  | { readonly step: 'outsideHours'; readonly opensAtMs: number }

export function nextStep(progress: Progress): Step {
  const { verdict, nowMs, hours } = progress
  const toBasisPoints = progress.stepsBasisPoints.find((share) => share > progress.currentBasisPoints)
  if (toBasisPoints === undefined) return { step: 'done' }
  if (verdict?.result !== 'pass') return { step: verdict?.result ?? 'inconclusive' }
  const untilMs = Math.max(progress.enteredAtMs + progress.eachMs, verdict.sinceMs + progress.windowMs)
  if (nowMs < untilMs) return { step: 'waiting', untilMs }
  if (hours && !hours.isOpen(nowMs)) return { step: 'outsideHours', opensAtMs: hours.opensAt(nowMs) }
  return { step: 'advance', toBasisPoints }
}
