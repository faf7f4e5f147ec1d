// Which of several targets is left alone because it fails: so many failures in a row, for longer each time, and never more of them
// than may be. As Envoy's outlier detection does it, but without its sweeps: the clock is looked at when somebody asks.
// The danger it guards against: an ejection that is an outage: of one target of two, or of all of them for the fault of what
// stands behind them all.
import type { OutlierSettings, TargetWord } from '../model.ts'

/** Beyond this none is left alone for longer, unless the file says so. */
const longestEjectMs = 300_000
/** Each such time that a target was not left alone, one ejection of it is forgotten (Envoy's `interval`). */
const forgivenEveryMs = 10_000

/** What is remembered of one target. */
export interface Standing {
  /** Failures in a row. */
  readonly failures: number
  /** How often it was left alone, of late. */
  readonly ejections: number
  /** Monotonic milliseconds; 0: it never was. */
  readonly ejectedUntil: number
}

export const unknown: Standing = { failures: 0, ejections: 0, ejectedUntil: 0 }

export function isEjected({ ejectedUntil }: Standing, nowMs: number): boolean {
  return nowMs < ejectedUntil
}

/** What is said while it is left alone is of requests from before, or of those that had nowhere else to go: it changes nothing. */
export function afterWord(standing: Standing, word: TargetWord, nowMs: number): Standing {
  if (isEjected(standing, nowMs)) return standing
  if (word === 'fine') return standing.failures === 0 ? standing : { ...standing, failures: 0 }
  return { ...standing, failures: standing.failures + 1 }
}

/** Whether it has failed often enough to be left alone, if that may be. */
export function isOutlier({ failures }: Standing, { consecutive }: OutlierSettings): boolean {
  return failures >= consecutive
}

export function eject({ ejections, ejectedUntil }: Standing, { ejectMs }: OutlierSettings, nowMs: number): Standing {
  const forgiven = Math.floor(Math.max(0, nowMs - ejectedUntil) / forgivenEveryMs)
  const times = Math.max(0, ejections - forgiven) + 1
  const forMs = Math.min(ejectMs * times, Math.max(ejectMs, longestEjectMs))
  return { failures: 0, ejections: times, ejectedUntil: nowMs + forMs }
}

/** @param targets all of them. @returns how many of them may be left alone at a time */
export function mostEjected(targets: number, { maxBasisPoints }: OutlierSettings): number {
  // Of two, the other would have to carry all; and what fails at both is not the target.
  if (targets <= 2) return 0
  return Math.max(1, Math.floor((targets * maxBasisPoints) / 10_000))
}
