// What the parts of a chaos run come to.
// The danger it guards against: a run in which nothing went wrong because nothing was asked, taken for evidence.
import { median, type Round } from '../shadow/verdict.ts'
import type { BusyReport } from './always503.ts'
import type { CacheMeasured, PhaseMeasured } from './cache.ts'
import { type CellResult, complaintOf, isAsExpected } from './matrix.ts'
import type { ResetsReport } from './resets.ts'

export interface Verdict {
  readonly result: 'passed' | 'failed' | 'inconclusive'
  /** Figures, a line each. */
  readonly figures: readonly string[]
  readonly reasons: readonly string[]
}

interface Found {
  readonly figures: readonly string[]
  readonly failures: readonly (string | false)[]
  readonly holes?: readonly (string | false)[]
}

export interface DeadMeasured {
  /** `off` is the plain monolith, `on` the fallback to it. */
  readonly rounds: readonly Round[]
  /** Whether the breaker had opened before the first round. */
  readonly isOpen: boolean
  /** Attempts by fallback. */
  readonly fellBack: number
  readonly requests: number
  readonly notOk: number
  readonly unsent: number
}

const slackMs = 2

export function judgeMatrix(results: readonly CellResult[]): Verdict {
  const complaints = results.filter((result) => !isAsExpected(result)).map(complaintOf)
  return verdictOf({ figures: [`${results.length} cells, ${complaints.length} differ`], failures: complaints })
}

export function judgeResets({ posts, deeds, answers, ranTwice, lost }: ResetsReport): Verdict {
  const broken = Object.entries(deeds).reduce((sum, [deed, count]) => sum + (deed === 'answer' ? 0 : count), 0)
  return verdictOf({
    figures: [
      `${posts} POSTs, ${ranTwice.length} ran twice`,
      `new side: ${wordsOf(deeds)}`,
      `answers: ${wordsOf(answers)}`,
    ],
    failures: [
      ranTwice.length > 0 && `ran twice: ${someOf(ranTwice)}`,
      lost.length > 0 && `answered well, and came whole nowhere: ${someOf(lost)}`,
    ],
    holes: [broken === 0 && 'the new side broke nothing', !answers['200 old'] && 'nothing fell back to the old side'],
  })
}

export function judgeBusy({ requests, complaints }: BusyReport): Verdict {
  return verdictOf({
    figures: [`${requests} requests, ${complaints.length} not as they must be`],
    failures: complaints,
  })
}

export function judgeDead({ rounds, isOpen, fellBack, requests, notOk, unsent }: DeadMeasured): Verdict {
  const differenceMs = median(rounds.map(({ off: [a, b], on }) => on - (a + b) / 2))
  const spreadMs = median(rounds.map(({ off: [a, b] }) => Math.abs(a - b)))
  const told = `p99: fallback against plain ${differenceMs.toFixed(2)} ms, plain against plain ${spreadMs.toFixed(2)} ms`
  return verdictOf({
    figures: [
      `${told} (medians; allowed: that plus ${slackMs} ms)`,
      `${requests} requests, ${notOk} not answered well, ${fellBack} fell back`,
    ],
    failures: [
      notOk > 0 && `${notOk} of ${requests} answers were not whole and right`,
      differenceMs > spreadMs + slackMs && `p99 is ${differenceMs.toFixed(2)} ms higher by fallback`,
    ],
    holes: [
      unsent > 0 && `${unsent} requests were not sent: the client did not keep up`,
      !isOpen && 'the breaker had not opened',
      // Of each round one part of three, and of all of it a fifth at least.
      fellBack * 5 < requests && `only ${fellBack} requests fell back`,
    ],
  })
}

export function judgeCache({ phases, missed, requests, notOk, unsent, purgesMs }: CacheMeasured): Verdict {
  const [before, ...others] = phases
  const returns = others.filter(isReturn)
  const allowedMs = 2 * (before?.p99Ms ?? 0) + slackMs
  const longestPurgeMs = purgesMs.at(-1) ?? Number.NaN
  return verdictOf({
    figures: [
      `p99 before ${before?.p99Ms.toFixed(2)} ms; a second after a return ${allowedMs.toFixed(2)} ms are allowed`,
      `${requests} requests, ${notOk} not answered well; ${missed} looks without the Redis`,
      `${purgesMs.length} purges heard at the other gateway after ${median(purgesMs).toFixed(0)} ms (longest ${longestPurgeMs.toFixed(0)})`,
    ],
    failures: [
      notOk > 0 && `${notOk} of ${requests} answers were not whole and right`,
      longestPurgeMs > 1000 && `a purge was heard after ${longestPurgeMs.toFixed(0)} ms`,
      ...returns.flatMap(({ phase, back }) => [
        back.afterMs > 1000 && `${phase}, it was used again after ${back.afterMs.toFixed(0)} ms`,
        back.settledP99Ms > allowedMs && `${phase}, p99 was ${back.settledP99Ms.toFixed(2)} ms a second later`,
      ]),
    ],
    holes: [
      unsent > 0 && `${unsent} requests were not sent: the client did not keep up`,
      missed === 0 && 'nobody missed the Redis',
      ...returns.flatMap(({ phase, puts, back }) => [
        puts === 0 && `${phase}, nothing was put into it`,
        Number.isNaN(back.settledP99Ms) && `${phase}, nothing was asked a second later`,
      ]),
    ],
  })
}

function isReturn(one: PhaseMeasured): one is PhaseMeasured & Required<Pick<PhaseMeasured, 'back'>> {
  return one.back !== undefined
}

function verdictOf({ figures, failures, holes = [] }: Found): Verdict {
  const [failed, doubtful] = [failures, holes].map((list) => list.filter((reason) => reason !== false))
  const reasons = [...(failed ?? []), ...(doubtful ?? [])]
  const result = failed?.length ? 'failed' : doubtful?.length ? 'inconclusive' : 'passed'
  return { result, figures, reasons }
}

function wordsOf(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([word, count]) => `${word} ${count}`)
    .join(', ')
}

function someOf(ids: readonly string[]): string {
  return `${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ` and ${ids.length - 5} more` : ''}`
}
