// What one rule of a guard found: plain numbers and a sentence, for `status`, the audit record and people.
// The danger it guards against: a rollback that nobody can explain.

export type Rule =
  | 'moreErrorsThanOld'
  | 'maxErrorShare'
  | 'statusShift'
  | 'slowerAtP50'
  | 'slowerAtP95'
  | 'moreAbandoned'
  | 'maxMismatchShare'
  | 'breaker'
  | 'failuresInARow'

/** `broken`: for certain; `doubtful`: it looks broken, and may be chance; `unknown`: too little was seen. */
export type Says = 'broken' | 'doubtful' | 'kept' | 'unknown'

/** Plain JSON without paths or values of requests. */
export interface Finding {
  readonly rule: Rule
  readonly says: Says
  readonly sentence: string
  /** Of the newest requests that the numbers are about. */
  readonly spanMs?: number
  /** A share (0–1), or ms for latencies, or a number of times. */
  readonly candidate?: number
  readonly control?: number
  /** Of what the setting says in the same unit. */
  readonly allowed: number
  /** The share of requests that get something else than they should: how bad it is beside errors of the old side. */
  readonly harm?: number
}

export function percent(share: number): string {
  const text = (share * 100).toFixed(share > 0 && share < 0.001 ? 3 : 2)
  return `${Number(text)} %`
}

export function milliseconds(ms: number): string {
  return Number.isFinite(ms) ? `${Math.round(ms)} ms` : 'unknown'
}

export function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
