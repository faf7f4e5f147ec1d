// How long a guard needs until it can say anything, for `plan`.
// The danger it guards against: a stage that nobody knows to be silent, and that waits for a verdict for ever.
import type { GuardSettings } from '../model.ts'
import type { ControlSource } from './verdict.ts'
import { longestSpanMs } from './windows.ts'

/** Requests (compared: pairs of answers) per second. */
export interface Rates {
  readonly candidate: number
  readonly control: number
  readonly compared: number
}

/**
 * Seconds until a pass is possible; only what is needed is asked about.
 * @returns Infinity where a side is silent, or gets fewer than `minRequests` in the hour that is remembered, or where nothing is
 * there to judge by
 */
export function timeToVerdictSeconds(guard: GuardSettings, control: ControlSource, rates: Rates): number {
  if (control === 'none' && guard.maxErrorShare === undefined) return Number.POSITIVE_INFINITY
  const needed = [rates.candidate]
  // A baseline is complete when it is frozen.
  if (control !== 'none' && control !== 'frozenBaseline') needed.push(rates.control)
  if (guard.maxMismatchShare !== undefined) needed.push(rates.compared)
  const seconds = Math.ceil(guard.minRequests / Math.min(...needed))
  return seconds * 1_000 > longestSpanMs ? Number.POSITIVE_INFINITY : seconds
}
