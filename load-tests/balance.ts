// Balances the books of a run: what was sent, what came back, what the ledgers hold, when the route was moved. Pure.
// The danger it guards against: counting one thing in two places that may disagree; every figure of the report is made here.
import type { Evidence } from './evidence.ts'
import type { Shown } from './flip.ts'
import { type Entry, expectedSides, type Finding, type Flip, reconcile, type Sent } from './ledger.ts'
import { spreadOf } from './percentiles.ts'
import { type Phase, phasesOf } from './phases.ts'
import type { SentRequest, Traffic } from './traffic.ts'
import type { Facts } from './verdict.ts'

/** How long after a flip was shown the old side is still right: for a fleet whose other replicas may be a moment later. */
export const marginMs = 100

export interface Books {
  readonly traffic: Pick<Traffic, 'records' | 'lagsMs' | 'unsent'>
  readonly evidence: Evidence
  /** The moves that were shown, and the sides as the ledgers call them. */
  readonly shown: readonly Shown[]
  readonly sides: { readonly from: string; readonly to: string }
  readonly notMoved?: string | undefined
  readonly movingKinds: ReadonlySet<string>
  readonly owners: ReadonlyMap<string, string>
}

export interface Balance {
  readonly facts: Facts
  readonly phases: readonly Phase[]
  readonly findings: readonly Finding[]
  readonly eitherSide: number
  readonly foreign: number
}

export function balance(books: Books): Balance {
  const { traffic, evidence, movingKinds, owners } = books
  const flips = flipsOf(books)
  const sent = traffic.records.map((record) => sentOf(record, movingKinds, owners))
  const { findings, eitherSide, foreign } = reconcile(sent, evidence.entries, flips, marginMs)
  const sides = sidesById(evidence.entries)
  const windows = flips.map(({ editedAt, shownAt }) => ({ from: editedAt, to: shownAt + marginMs }))
  const sidesOf = (id: string) => sides.get(id) ?? []
  const phases = phasesOf({ records: traffic.records, windows, movingKinds, sidesOf })
  const count = (...kinds: Finding['kind'][]) =>
    new Set(findings.filter(({ kind }) => kinds.includes(kind)).map(({ id }) => id)).size
  const facts: Facts = {
    requests: traffic.records.length,
    errors: traffic.records.filter(({ outcome }) => outcome !== 'ok').length,
    lost: count('lost', 'unrecorded'),
    doubled: count('doubled'),
    wrongSide: count('wrongSide'),
    notMoved: books.notMoved,
    unsent: traffic.unsent,
    lagP99Ms: spreadOf(traffic.lagsMs)?.p99 ?? 0,
    forgotten: evidence.forgotten,
    running: evidence.running,
    movingByPhase: movingByPhase(sent, flips),
  }
  return { facts, phases, findings, eitherSide, foreign }
}

/** A move that was never shown to be over leaves both sides right from its edit on; there is no such move in `shown`. */
function flipsOf({ shown, sides: { from, to } }: Books): Flip[] {
  return shown.map(({ editedAt, shownAt }, i) => {
    const isThere = i % 2 === 0
    return { from: isThere ? from : to, to: isThere ? to : from, editedAt, shownAt }
  })
}

function sentOf(record: SentRequest, movingKinds: ReadonlySet<string>, owners: ReadonlyMap<string, string>): Sent {
  const { id, kind, sentAt, endedAt, isAnswered, servedBy } = record
  return { id, sentAt, endedAt, isAnswered, servedBy, owner: movingKinds.has(kind) ? 'moving' : owners.get(kind) }
}

function sidesById(entries: readonly Entry[]): Map<string, string[]> {
  const sides = new Map<string, string[]>()
  for (const { id, service } of entries) {
    const had = sides.get(id)
    if (had) had.push(service)
    else sides.set(id, [service])
  }
  return sides
}

/** Requests of the moving route that could only be right on one side, by the number of moves before them. */
function movingByPhase(sent: readonly Sent[], flips: readonly Flip[]): readonly number[] {
  const counts = [0, 0, 0]
  for (const request of sent) {
    if (request.owner !== 'moving' || expectedSides(request, flips, marginMs)?.length !== 1) continue
    const phase = flips.filter(({ shownAt }) => request.sentAt > shownAt).length
    counts[phase] = (counts[phase] ?? 0) + 1
  }
  return counts
}
