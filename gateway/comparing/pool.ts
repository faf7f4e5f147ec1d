// Comparing in worker threads: the main thread copies two bodies and hears what came of it.
// The danger it guards against: a body that makes its comparison hang or burst. Such a thread is ended and the next comparison gets
// a fresh one; whoever waits is told, and no thread keeps the process alive.

import type { Compared, CompareRules, Comparison } from './comparison.ts'
import { ComparingFailure, Seat } from './seat.ts'

export interface Comparer {
  /** Comparisons under way or waiting for a thread: whoever calls bounds them. */
  readonly pending: number
  /** Does not touch the bodies given. Rejects with a ComparingFailure. */
  compare(old: Compared, candidate: Compared, rules: CompareRules): Promise<Comparison>
  /** Ends the threads; what is under way or waiting is rejected. */
  close(): Promise<void>
}

export interface ComparerSettings {
  /** Threads, each started by the first comparison that needs it. */
  readonly workers: number
  /** The longest that one comparison may take, waiting for a thread not counted. */
  readonly timeoutMs: number
  /** The most that a thread may hold of JavaScript objects. */
  readonly heapMb: number
  /** What redacts examples (redact.ts). */
  readonly key: Uint8Array
}

interface Waiting {
  readonly question: Parameters<Comparer['compare']>
  readonly resolve: (comparison: Comparison) => void
  readonly reject: (failure: ComparingFailure) => void
}

export function createComparer(settings: ComparerSettings): Comparer {
  const seats = Array.from({ length: settings.workers }, () => new Seat(settings))
  const waiting: Waiting[] = []
  let isClosed = false
  let pending = 0

  function fill(): void {
    const seat = seats.find(({ isFree }) => isFree)
    const next = seat && waiting.shift()
    if (!next) return
    const [old, candidate, rules] = next.question
    seat
      .compare({ old, candidate, rules })
      .then(next.resolve, next.reject)
      .finally(() => {
        pending--
        fill()
      })
  }

  return {
    get pending() {
      return pending
    },
    compare(...question) {
      return new Promise((resolve, reject) => {
        if (isClosed) return reject(new ComparingFailure('closed'))
        pending++
        waiting.push({ question, resolve, reject })
        fill()
      })
    },
    async close() {
      isClosed = true
      for (const { reject } of waiting.splice(0)) {
        pending--
        reject(new ComparingFailure('closed'))
      }
      await Promise.all(seats.map((seat) => seat.close()))
    },
  }
}
