// What a run has shown, in one word and in sentences. Pure.
// The danger it guards against: "passed" for a run that has proven nothing: no loss was seen because nobody looked, or
// because hardly anything was sent. Without evidence the verdict is `inconclusive`, never `passed`.

export type Verdict = 'passed' | 'failed' | 'inconclusive'

/** What every run must say of itself: how well it sent, and what its ledgers could still tell. */
export interface Soundness {
  /** Requests sent. */
  readonly requests: number
  /** Requests that were due and not sent, because too many were under way. */
  readonly unsent: number
  /** How late requests were sent at the 99th percentile, in milliseconds. */
  readonly lagP99Ms: number
  /** Ledger lines that were gone before they were read. */
  readonly forgotten: number
  /** Requests that a side still worked at when the ledgers were read. */
  readonly running: number
}

export interface Facts extends Soundness {
  /** Requests whose outcome for the client was not ok. */
  readonly errors: number
  /** Without a whole answer from a side, or answered though no ledger has them. */
  readonly lost: number
  readonly doubled: number
  readonly wrongSide: number
  /** Why the gateway did not move the route, if it did not. */
  readonly notMoved?: string | undefined
  /** Requests of the moving route, sent before, while and after the new side was live, that only one side might have. */
  readonly movingByPhase: readonly number[]
}

/** A generator that is later than this sends bursts where it should send a flow. */
const lagLimitMs = 100

export const exitCodes: Readonly<Record<Verdict, number>> = { passed: 0, failed: 1, inconclusive: 3 }

export function verdictOf(facts: Facts): { readonly verdict: Verdict; readonly reasons: readonly string[] } {
  return decide(failuresIn(facts), [...doubtsAboutSoundness(facts), ...doubtsAboutPhases(facts)])
}

/** One failure is enough, whatever is in doubt beside it. */
export function decide(
  failures: readonly string[],
  doubts: readonly string[],
): { readonly verdict: Verdict; readonly reasons: readonly string[] } {
  const verdict = failures.length > 0 ? 'failed' : doubts.length > 0 ? 'inconclusive' : 'passed'
  return { verdict, reasons: [...failures, ...doubts] }
}

function failuresIn({ lost, doubled, wrongSide, errors, notMoved }: Facts): string[] {
  return [
    ...said(lost, 'lost: no whole answer from any side, or none that a ledger knows of'),
    ...said(doubled, 'doubled: ran more than once'),
    ...said(wrongSide, 'answered by the wrong side'),
    ...said(errors, 'not answered as they must be'),
    ...(notMoved === undefined ? [] : [`the route was not moved: ${notMoved}`]),
  ]
}

export function doubtsAboutSoundness({ requests, unsent, lagP99Ms, forgotten, running }: Soundness): string[] {
  return [
    ...(requests === 0 ? ['nothing was sent'] : []),
    ...said(unsent, 'could not be sent: the client did not keep up'),
    ...(lagP99Ms > lagLimitMs
      ? [
          `the client did not keep up: it sent ${Math.round(lagP99Ms)} ms late at the 99th percentile (limit ${lagLimitMs})`,
        ]
      : []),
    ...(forgotten > 0
      ? [`the ledgers have forgotten ${forgotten} lines of the run: send less, or make them longer`]
      : []),
    ...said(running, 'still running when the ledgers were read'),
  ]
}

function doubtsAboutPhases({ movingByPhase }: Facts): string[] {
  return ['before the move', 'while the new side was live', 'after the move back']
    .filter((_, i) => !movingByPhase[i])
    .map((phase) => `no request of the moving route was sent ${phase}`)
}

/** Of requests, where there are any. */
export function said(count: number, what: string): string[] {
  return count > 0 ? [`${count} ${count === 1 ? 'request' : 'requests'} ${what}`] : []
}
