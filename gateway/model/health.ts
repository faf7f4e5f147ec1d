// The words of how targets fare and how much an Upstream is given, as types; model.ts passes them on. Imports nothing of ours.
// The danger they guard against: a word of one Upstream's targets that is taken for one of another's.

/** How each target is asked whether it is well, beside what clients ask of it. */
export interface HealthSettings {
  /** Of the request, which is a GET. */
  readonly path: string
  readonly everyMs: number
  /** For the answer's head. */
  readonly timeoutMs: number
  /** So many failed checks in a row make it down. */
  readonly unhealthy: number
  /** So many good ones in a row make it up again. */
  readonly healthy: number
}

/** When a target that fails while others do not is left alone. */
export interface OutlierSettings {
  /** So many failures in a row. */
  readonly consecutive: number
  /** How long it is left alone, times how often it has been. */
  readonly ejectMs: number
  /** Of 10 000 targets, the most that are left alone at a time; one may always be. */
  readonly maxBasisPoints: number
}

/** What the file asks for of an Upstream beside its requests. */
export interface WatchSettings {
  /** Absent: its targets are well unless their requests say otherwise. */
  readonly health?: HealthSettings
  /** Absent: none of its targets is left alone for its failures. */
  readonly outliers?: OutlierSettings
  /** Whether the requests under way at a time are bounded by how long its answers take, below `maxConnections`. */
  readonly isAdaptive?: true
}

/** What a request said of the target that it was sent to. */
export type TargetWord = 'fine' | 'failed'

/** A change of how a target fares. */
export interface TargetTurn {
  /** The name of its Upstream. */
  readonly upstream: string
  /** Its origin. */
  readonly target: string
  readonly to: 'ejected' | 'unhealthy' | 'healthy'
  readonly reason: string
}

/** How many requests an Upstream is given at a time, by how long its answers take. */
export interface ConcurrencyLimit {
  /** Now; at least 1. */
  most(): number
  /** An answer has begun. */
  took(answered: Answered): void
}

export interface Answered {
  /** From when the upstream could have had the whole request to the answer's head, or to where somebody lost patience. */
  readonly tookMs: number
  /** Monotonic milliseconds: when it was sent. */
  readonly startedAt: number
  /** How many were under way then, it included. */
  readonly active: number
}
