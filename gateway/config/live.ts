// The one mutable variable: what is served now.
// The danger it guards against: a request that sees half of one file and half of another. It is replaced whole, or not at all.
import type { Problem, Snapshot } from '../model.ts'

export interface Live {
  /** @throws before the first Snapshot */
  readonly current: Snapshot
  /** Undefined before the first. */
  readonly snapshot: Snapshot | undefined
  /** The Problems of the file as it stands now, when they keep it from being served; else none. */
  readonly problems: readonly Problem[]
  replace(snapshot: Snapshot): void
  refuse(problems: readonly Problem[]): void
}

/** @param onReplace hears of each Snapshot in the moment that it is served */
export function createLive(onReplace: (snapshot: Snapshot) => void = () => {}): Live {
  let snapshot: Snapshot | undefined
  let problems: readonly Problem[] = []
  return {
    get current() {
      if (!snapshot) throw new Error('nothing is served before the first Snapshot')
      return snapshot
    },
    get snapshot() {
      return snapshot
    },
    get problems() {
      return problems
    },
    replace(next) {
      if (next !== snapshot) onReplace(next)
      snapshot = next
      problems = []
    },
    refuse(found) {
      problems = found
    },
  }
}
