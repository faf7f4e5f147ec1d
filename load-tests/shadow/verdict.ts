// What the rounds of a shadow run come to.
// The danger it guards against: a difference that is the machine's own restlessness, or one that hides behind it.

export interface Round {
  /** Milliseconds; the two parts without comparison in the order in which they were run. */
  readonly off: readonly [number, number]
  readonly on: number
}

/** How far two processes' memory went above what they had before the first round, in bytes. */
export interface Growth {
  readonly off: number
  readonly on: number
}

export interface Measured {
  readonly rounds: readonly Round[]
  readonly growth: Growth
  readonly requests: number
  readonly notOk: number
  readonly unsent: number
  /** Legs that the gateway made or had no room for. */
  readonly legs: number
}

export interface Verdict {
  readonly result: 'passed' | 'failed' | 'inconclusive'
  readonly reasons: readonly string[]
  /** Median over the rounds of p99 on − the mean of p99 off. */
  readonly differenceMs: number
  /** Median over the rounds of how far the two p99 off are apart. */
  readonly spreadMs: number
}

const slackMs = 1
/** Two bodies of 256 KiB for each of 64 legs, and a thread that compares. */
export const mostGrowthBytes = 128 * 1024 * 1024

export function judge({ rounds, growth, requests, notOk, unsent, legs }: Measured): Verdict {
  const differenceMs = median(rounds.map(({ off: [a, b], on }) => on - (a + b) / 2))
  const spreadMs = median(rounds.map(({ off: [a, b] }) => Math.abs(a - b)))
  const failures = [
    notOk > 0 ? [`${notOk} of ${requests} answers were not whole and right`] : [],
    differenceMs > spreadMs + slackMs
      ? [`p99 is ${differenceMs.toFixed(2)} ms higher; off against off differ by ${spreadMs.toFixed(2)} ms`]
      : [],
    growth.on - growth.off > mostGrowthBytes ? ['memory grew beyond its bound'] : [],
  ].flat()
  const holes = [
    unsent > 0 ? [`${unsent} requests were not sent: the client did not keep up`] : [],
    legs === 0 ? ['the gateway asked the candidate nothing'] : [],
  ].flat()
  const result = failures.length > 0 ? 'failed' : holes.length > 0 ? 'inconclusive' : 'passed'
  return { result, reasons: [...failures, ...holes], differenceMs, spreadMs }
}

/** Of an even number the higher one of the two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
