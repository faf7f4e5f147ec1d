// Gathers the ledgers of all sides, and says what they cannot tell.
// The danger it guards against: a ledger read while requests still run: what runs a moment later is missing from it.
import type { Ticker } from './arrivals.ts'
import type { Entry } from './ledger.ts'
import type { Operators } from './operators.ts'

/** Where each side's ledger stood before the run. */
export type Marks = ReadonlyMap<string, number>

export interface Evidence {
  readonly entries: readonly Entry[]
  /** Lines that were written since the marks and are not there any more. */
  readonly forgotten: number
  /** Requests of the run that a side was still busy with when the waiting ended. */
  readonly running: number
}

const settledWithinMs = 5000
const readEveryMs = 100

/** @returns the marks, and all lines up to them. */
export async function markLedgers(
  operators: Operators,
  upstreams: readonly string[],
): Promise<{ marks: Marks; entries: readonly Entry[]; services: ReadonlyMap<string, string> }> {
  const ledgers = await Promise.all(upstreams.map((name) => operators.readLedger(name, 0)))
  return {
    marks: new Map(upstreams.map((name, i) => [name, ledgers[i]?.last ?? 0])),
    entries: ledgers.flatMap(({ entries }) => entries),
    services: new Map(upstreams.map((name, i) => [name, ledgers[i]?.service ?? name])),
  }
}

/** Reads on from the marks until nothing of the run is running any more, or the patience has ended. */
export async function gatherEvidence(
  operators: Operators,
  marks: Marks,
  idPrefix: string,
  ticker: Ticker,
): Promise<Evidence> {
  const giveUpAt = ticker.now() + settledWithinMs
  for (;;) {
    const ledgers = await Promise.all([...marks].map(([upstream, mark]) => operators.readLedger(upstream, mark)))
    const entries = ledgers.flatMap((ledger) => ledger.entries)
    const running = entries.filter(({ id, state }) => state === 'running' && id.startsWith(idPrefix)).length
    if (running === 0 || ticker.now() > giveUpAt) {
      return { entries, running, forgotten: ledgers.reduce((sum, { forgotten }) => sum + forgotten, 0) }
    }
    await new Promise<void>((resolve) => ticker.after(readEveryMs, resolve))
  }
}
