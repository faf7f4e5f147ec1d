// Balances the books of a rollback run: what was sent, what came back, what the ledgers hold, what was planted, and when the
// gateway decided. Pure. The danger it guards against: a failure that is explained away. Only what was planted, and only before
// the decision, is no finding.
import type { Hit } from '../interposer.ts'
import { type Entry, type Finding, reconcile } from '../ledger.ts'
import { type Phase, phaseOf } from '../phases.ts'
import type { SentRequest } from '../traffic.ts'

/** All times are the client's monotonic milliseconds. */
export interface Books {
  readonly records: readonly SentRequest[]
  readonly entries: readonly Entry[]
  readonly hits: readonly Hit[]
  /** When the candidate was told to fail; undefined: never. */
  readonly beganAt: number | undefined
  /** When the gateway decided; undefined: never. */
  readonly decidedAt: number | undefined
  /** As the ledgers call them. */
  readonly sides: { readonly from: string; readonly to: string }
}

export interface Balance {
  readonly lost: number
  readonly doubled: number
  readonly wrongSide: number
  /** Requests for which there was no room or no time, though nothing was planted; and how many that were sent before the decision. */
  readonly overloaded: number
  readonly overloadedBefore: number
  /** Requests whose outcome was not ok although nothing was planted, and not for want of room or time. */
  readonly unexplained: number
  /** Planted failures that reached clients before the decision. */
  readonly failuresBefore: number
  /** Requests under way when the gateway decided, and how many of them failed. */
  readonly underWay: number
  readonly failuresUnderWay: number
  /** Requests sent after the decision, and how many of them met a planted fault or failed at the candidate. */
  readonly after: number
  readonly failuresAfter: number
  /** Visitors seen more than once before the decision, and how many of them on both sides. */
  readonly visitors: number
  readonly flipped: number
  /** What the candidate was asked by clients per second, until the decision. */
  readonly candidatePerSecond: number
  /** Legs that the gateway made for itself. */
  readonly legs: number
  readonly phases: readonly Phase[]
  readonly findings: readonly Finding[]
  /** Visitors that the candidate had. */
  readonly moved: readonly string[]
}

/** The gateway notes its decision in whole milliseconds of another clock. */
const clockGrainMs = 2

const parts = ['clean', 'failing', 'under way', 'rolled back'] as const
type Part = (typeof parts)[number]

export function balance(books: Books): Balance {
  const { records, sides } = books
  const own = books.entries.filter(({ role }) => role === undefined)
  const sidesOf = sidesIn(own)
  const byPart = groupBy(records, (record) => partOf(record, books))
  const of = (part: Part) => byPart.get(part) ?? []
  const before = [...of('clean'), ...of('failing')]
  const isAtCandidate = ({ id }: SentRequest) => sidesOf(id).includes(sides.to)
  const { explained, ...failures } = failuresIn({ before, of, isAtCandidate, hits: books.hits })
  const findings = findingsOf(books, own, explained)
  const count = (...kinds: Finding['kind'][]) => findings.filter(({ kind }) => kinds.includes(kind)).length
  const sidesOfVisitors = visitorsIn(before, sidesOf)
  const again = [...sidesOfVisitors.values()].filter(({ length }) => length > 1)
  return {
    ...failures,
    lost: count('lost', 'unrecorded'),
    doubled: count('doubled'),
    wrongSide: count('wrongSide'),
    underWay: of('under way').length,
    after: of('rolled back').length,
    visitors: again.length,
    flipped: again.filter((seen) => new Set(seen).size > 1).length,
    candidatePerSecond: perSecond(before, isAtCandidate),
    legs: books.entries.length - own.length,
    phases: parts.map((name) => phaseOf(name, of(name), { movingKinds: new Set(), sidesOf })),
    findings,
    moved: [...sidesOfVisitors].filter(([, seen]) => seen.includes(sides.to)).map(([visitor]) => visitor),
  }
}

interface Parted extends Pick<Books, 'hits'> {
  /** Of the decision. */
  readonly before: readonly SentRequest[]
  of(part: Part): readonly SentRequest[]
  isAtCandidate(record: SentRequest): boolean
}

function failuresIn({ before, of, isAtCandidate, hits }: Parted) {
  // What befell a leg befell no client, though it bears the same id.
  const planted = new Set(hits.filter(({ role }) => role === undefined).map(({ id }) => id))
  const isPlanted = ({ id }: SentRequest) => planted.has(id)
  const isOverloaded = (record: SentRequest) => !isPlanted(record) && isOverload(record)
  const failedBefore = failed(before)
  const underWay = failed(of('under way'))
  const after = failed(of('rolled back'))
  // After the decision the candidate must not even be asked.
  const overloadedAfter = after.filter((record) => isOverloaded(record) && !isAtCandidate(record))
  const overloaded = [...[...failedBefore, ...underWay].filter(isOverloaded), ...overloadedAfter]
  const explained = new Set([...planted, ...overloaded.map(({ id }) => id)])
  return {
    explained,
    overloaded: overloaded.length,
    overloadedBefore: overloaded.length - overloadedAfter.length,
    unexplained: [...failedBefore, ...underWay, ...after].filter(({ id }) => !explained.has(id)).length,
    failuresBefore: failedBefore.filter(isPlanted).length,
    failuresUnderWay: underWay.length,
    failuresAfter: of('rolled back').filter(
      (record) => isPlanted(record) || (record.outcome !== 'ok' && isAtCandidate(record)),
    ).length,
  }
}

function failed(records: readonly SentRequest[]): readonly SentRequest[] {
  return records.filter(({ outcome }) => outcome !== 'ok')
}

function partOf({ sentAt, endedAt }: SentRequest, { beganAt, decidedAt }: Books): Part {
  if (decidedAt !== undefined && sentAt > decidedAt + clockGrainMs) return 'rolled back'
  if (decidedAt !== undefined && endedAt >= decidedAt - clockGrainMs) return 'under way'
  return beganAt === undefined || sentAt < beganAt ? 'clean' : 'failing'
}

const wantOfTime = new Set(['upstreamBusy', 'upstreamConnectTimeout', 'upstreamFirstByteTimeout'])

/** All that runs here, the client too, may be more than this machine carries; the more so when all goes back to the old side. */
function isOverload({ outcome, why = '' }: SentRequest): boolean {
  return outcome === 'timedOut' || wantOfTime.has(why)
}

/** Before the decision a request's side is its visitor's, which `flipped` tells; and what is explained is no loss. */
function findingsOf(books: Books, own: readonly Entry[], explained: ReadonlySet<string>): readonly Finding[] {
  const sent = books.records.map((record) => {
    const { id, sentAt, endedAt, isAnswered, servedBy } = record
    const owner = partOf(record, books) === 'rolled back' ? books.sides.from : undefined
    return { id, sentAt, endedAt, isAnswered, servedBy, owner }
  })
  const { findings } = reconcile(sent, own, [], 0)
  return findings.filter(({ kind, id }) => kind !== 'lost' || !explained.has(id))
}

function sidesIn(entries: readonly Entry[]): (id: string) => readonly string[] {
  const sides = groupBy(entries, ({ id }) => id)
  return (id) => (sides.get(id) ?? []).map(({ service }) => service)
}

/** The side of each of a visitor's requests. */
function visitorsIn(
  records: readonly SentRequest[],
  sidesOf: (id: string) => readonly string[],
): ReadonlyMap<string, readonly string[]> {
  const grouped = groupBy(records, ({ visitor = '' }) => visitor)
  return new Map([...grouped].map(([visitor, own]) => [visitor, own.flatMap(({ id }) => sidesOf(id))]))
}

function perSecond(records: readonly SentRequest[], isCounted: (record: SentRequest) => boolean): number {
  const times = records.map(({ scheduledAt }) => scheduledAt)
  const lastedMs = times.reduce((a, b) => Math.max(a, b), 0) - times.reduce((a, b) => Math.min(a, b), Infinity)
  return lastedMs > 0 ? (records.filter(isCounted).length / lastedMs) * 1000 : 0
}

function groupBy<T, K>(list: readonly T[], key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of list) {
    const group = groups.get(key(item))
    if (group) group.push(item)
    else groups.set(key(item), [item])
  }
  return groups
}
