// The words of a move's progress, as types; model.ts passes them on. This file imports nothing of ours.
// The danger they guard against: a share that is a percentage in one place and a fraction in another.

/** Where a Route stands in its move, in this order. A Route that does not move has none. */
export type Stage = 'legacy' | 'shadow' | 'canary' | 'live' | 'final'

/** The two ends of a move: `from` is the old side, `to` the new one, the candidate. */
export type Side = 'old' | 'new'

/** How far a move is. Ordered: first by stage, then by share. */
export interface Standing {
  readonly stage: Stage
  /** Of 10 000 buckets of identities, those that the new side answers: 0 in legacy and shadow, 10 000 in live without holdback. */
  readonly shareBasisPoints: number
}

/** What decides a standing, the strongest first: DESIGN §8. `stateUnknown`: neither store nor mirror could be read. */
export type Why = 'breakGlass' | 'rollback' | 'stateUnknown' | 'pause' | 'advance' | 'file'

/** The standing that requests meet now. */
export interface Effective extends Standing {
  readonly why: Why
  /** A sentence for operators. */
  readonly reason?: string
}

/** Where the identity of a request is found, by which it is always sent to the same side. */
export type StickyBy =
  | { readonly by: 'cookie' | 'field'; readonly name: string }
  /** A claim of a token that its Route has checked. */
  | { readonly by: 'claim'; readonly name: string }
  /** The client's address; IPv6 by its /64. */
  | { readonly by: 'address' }
  /** A cookie of ours, given to whoever comes without one. */
  | { readonly by: 'affinity' }

/** Where named testers carry the signed word that chooses their side. */
export interface Testers {
  readonly by: 'cookie' | 'field'
  readonly name: string
  readonly key: string
}

/** What a candidate may do worse than the old side before it is rolled back. Shares are 0–1. */
export interface GuardSettings {
  /** The error share may be higher by this much. */
  readonly moreErrorsThanOld: number
  /** The error share may be this high, whatever the old side's is. */
  readonly maxErrorShare?: number
  /** It is too slow only when it is slower by both. */
  readonly slowerThanOld: { readonly times: number; readonly andMs: number }
  /** By how much the share of a class of statuses (2xx, 3xx …) may differ. */
  readonly statusShift: number
  /** By how much more of its clients may leave before the head. */
  readonly moreAbandoned: number
  /** The share of compared answers that may differ. */
  readonly maxMismatchShare?: number
  /** Fewer are inconclusive. */
  readonly minRequests: number
  readonly windowMs: number
  /** So many one after another fail it even below `minRequests`. */
  readonly failuresInARow: number
}

/** Raises the share by itself, one step after another, while the verdict is "pass". */
export interface AdvanceSettings {
  /** Ascending, 1–10 000. */
  readonly stepsBasisPoints: readonly number[]
  /** The least time at each. */
  readonly eachMs: number
  /** Only then, e.g. `Mon-Thu 09:00-16:00`. */
  readonly hours?: string
}

/** Requests that write: by that method, or by any that is not safe (RFC 9110 §9.2.1). */
export interface WritePattern {
  readonly method?: string
  /** Of the path, folded as `paths` says; undefined stands for any one. */
  readonly segments: readonly (string | undefined)[]
  /** Whether more may follow. */
  readonly isPrefix: boolean
}

/** The state of a Route's (or a group's) move, as the file declares it. */
export interface RolloutDeclaration {
  /** The group's name, or the route's original one (`was`): what its state and its buckets belong to, whatever it is called now. */
  readonly key: string
  readonly of: 'route' | 'group'
  /** The names of the Routes that move together. */
  readonly routes: readonly string[]
  readonly declared: Standing
  /** The buckets that stay with the old side in live, as a control. */
  readonly holdbackBasisPoints: number
  readonly stickyBy?: StickyBy
  readonly testers?: Testers
  /** Reads of whoever has written to one of these go to the side that took the write. */
  readonly readYourWrites?: { readonly after: readonly WritePattern[]; readonly forMs: number }
  readonly guard: GuardSettings
  readonly advance?: AdvanceSettings
  /** Whether a Route of it takes methods that are not safe (RFC 9110 §9.2.1): going back may then lose writes. */
  readonly takesWrites: boolean
  /** The operator's word that writes taken by the new side are seen by the old one too. */
  readonly writesSurviveRollback: boolean
  /** Whether a Route of it compares: a rollback then goes to shadow, else to legacy. */
  readonly compares: boolean
  /** The cookie in which a session is kept, which the new side may not set, so that nobody is logged out by a try. */
  readonly loginCookie?: string
  /** How long streams of the side that was left may go on. */
  readonly closeStreamsMs: number
  /** Of the keys of the move: an override knows by it whether they were edited since. */
  readonly hash: string
}
