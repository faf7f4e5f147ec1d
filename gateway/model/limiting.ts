// The words of limits, as types; model.ts passes them on. Imports nothing of ours.
// The danger they guard against: a cost that is taken from one budget and given back to another.

/** So much may be used, and so it comes back. */
export interface Budget {
  /** How much there is when nothing is used. */
  readonly most: number
  /** How much comes back in a millisecond; 0: nothing before midnight UTC, and then all. */
  readonly perMs: number
}

/** What of a Budget is used. Nothing is used of one that has none. */
export interface Level {
  /** May be more than there is, where the cost of something came out higher than what was reserved for it. */
  readonly used: number
  /** When that was so, in milliseconds of the clock of whoever keeps it. */
  readonly at: number
  /** All that was ever charged to it, since it was `born`. */
  readonly charged: number
  /** When it was last begun from nothing. */
  readonly born: number
}

/** What one request is to use of one Budget. */
export interface Charge {
  /** Whose budget it is, and by which rule: nobody else's has that key. */
  readonly key: string
  readonly budget: Budget
  readonly cost: number
  /** It refuses nobody. */
  readonly isDry: boolean
  readonly onStoreLoss: OnStoreLoss
}

/** Without the store: this gateway's share of the limit, no limit, or nothing at all. */
export type OnStoreLoss = 'localShare' | 'open' | 'closed'

/** What came of one Charge. */
export interface Drawn {
  /** Whether there was room for it. */
  readonly isMet: boolean
  /** With it, if it was taken. */
  readonly level: Level
}

/** What came of all Charges of one request: each that has room is taken, or none when one refuses it. */
export interface Drawing {
  readonly isTaken: boolean
  /** One for each Charge, in their order. */
  readonly drawn: readonly Drawn[]
}

/** What limits say of one request. */
export interface Allowance<C extends Charge = Charge> {
  /** `unknown`: nobody can say. */
  readonly result: 'allowed' | 'refused' | 'unknown'
  /** The Charges that were looked at, and what came of them. Without the store their budgets are shares. */
  readonly charges: readonly (C & Drawn)[]
  /** Where: what comes out cheaper or dearer is settled there. */
  readonly at: 'store' | 'here'
}

/** What a Charge that was taken has cost in the end. */
export interface Settled {
  readonly charge: Charge & Drawn
  readonly cost: number
}
