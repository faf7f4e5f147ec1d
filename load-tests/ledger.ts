// Reconciles what the client sent with what the ledgers of all sides say they did. Pure: arrays in, findings out.
// The danger it guards against: a cutover that looks clean because every answer was fine, while a request was run twice,
// or was answered by the side that should no longer be asked.

/** One line of a side's ledger: a request that reached it. */
export interface Entry {
  /** The side: `monolith`, `search`, `ai`. */
  readonly service: string
  readonly seq: number
  /** The X-Request-Id as it arrived. */
  readonly id: string
  readonly state: 'running' | 'answered' | 'aborted'
  /** Its Banyan-Role: a request that the gateway made, and no client waits for. */
  readonly role?: string
}

/** One request as the client saw it. Times are the client's monotonic milliseconds. */
export interface Sent {
  readonly id: string
  /** Just before its first byte was written. */
  readonly sentAt: number
  /** Just after its answer ended, or its failure was known. */
  readonly endedAt: number
  /** Whether the client holds a whole answer that one of the sides made (not the gateway itself). */
  readonly isAnswered: boolean
  /** The side that the answer names (X-Served-By), if any. */
  readonly servedBy?: string | undefined
  /** Where it must be answered at any time; or, when its route moves, the moves decide. Undefined: nobody knows. */
  readonly owner: string | 'moving' | undefined
}

/** One edit of routes.yaml that moved the route. */
export interface Flip {
  readonly from: string
  readonly to: string
  /** Just before the file was replaced. */
  readonly editedAt: number
  /** Just after the gateway showed the new stage. */
  readonly shownAt: number
}

export type Finding =
  /** No whole answer from any side reached the client; `reached` says whether a ledger has the request (it may have run). */
  | { readonly kind: 'lost'; readonly id: string; readonly reached: boolean }
  /** A side's answer reached the client, yet no ledger has the request: whoever made it is not one of the sides. */
  | { readonly kind: 'unrecorded'; readonly id: string }
  /** It stands more than once in all ledgers together: it ran more than once. */
  | { readonly kind: 'doubled'; readonly id: string; readonly sides: readonly string[] }
  /** A side had it that must not be asked at that time, or the answer names another side than the ledger. */
  | { readonly kind: 'wrongSide'; readonly id: string; readonly side: string; readonly expected: readonly string[] }

export interface Reconciliation {
  readonly findings: readonly Finding[]
  /** Requests of the moving route so near a flip that either side was right. */
  readonly eitherSide: number
  /** Ledger lines whose ids are not ours: other people's traffic, health checks. */
  readonly foreign: number
}

/**
 * @param flips in the order in which they were made
 * @param marginMs how long after `shownAt` the old side is still right: a fleet's last replica may lag behind the one asked
 */
export function reconcile(
  sent: readonly Sent[],
  entries: readonly Entry[],
  flips: readonly Flip[],
  marginMs: number,
): Reconciliation {
  const sides = sidesById(sent, entries)
  const findings: Finding[] = []
  let eitherSide = 0
  for (const request of sent) {
    const had = sides.get(request.id) ?? []
    const expected = expectedSides(request, flips, marginMs)
    if (request.owner === 'moving' && expected !== undefined && expected.length > 1) eitherSide += 1
    findings.push(...judgeDelivery(request, had), ...judgeSides(request, had, expected))
  }
  const ours = [...sides.values()].reduce((sum, had) => sum + had.length, 0)
  return { findings, eitherSide, foreign: entries.length - ours }
}

function sidesById(sent: readonly Sent[], entries: readonly Entry[]): Map<string, string[]> {
  const sides = new Map<string, string[]>(sent.map(({ id }) => [id, []]))
  for (const { id, service } of entries) sides.get(id)?.push(service)
  return sides
}

function judgeDelivery(request: Sent, had: readonly string[]): Finding[] {
  const findings: Finding[] = []
  const { id } = request
  if (!request.isAnswered) findings.push({ kind: 'lost', id, reached: had.length > 0 })
  else if (had.length === 0) findings.push({ kind: 'unrecorded', id })
  if (had.length > 1) findings.push({ kind: 'doubled', id, sides: had })
  return findings
}

/** At most one finding for each request, however many sides were wrong. */
function judgeSides(request: Sent, had: readonly string[], expected: readonly string[] | undefined): Finding[] {
  const { id, servedBy } = request
  const stranger = expected === undefined ? undefined : had.find((side) => !expected.includes(side))
  if (expected !== undefined && stranger !== undefined) return [{ kind: 'wrongSide', id, side: stranger, expected }]
  const isContradicted = servedBy !== undefined && had.length > 0 && !had.includes(servedBy)
  return isContradicted ? [{ kind: 'wrongSide', id, side: servedBy, expected: had }] : []
}

/**
 * The sides that may have a request. For the moving route: before the first edit its `from`; after a flip its `to`; and
 * for what was in flight anywhere between a flip's edit and its end (shown, plus the margin) both are right, because a
 * request keeps the Snapshot it entered with, and nobody outside can see when it entered.
 */
export function expectedSides(
  request: Pick<Sent, 'owner' | 'sentAt' | 'endedAt'>,
  flips: readonly Flip[],
  marginMs: number,
): readonly string[] | undefined {
  if (request.owner !== 'moving') return request.owner === undefined ? undefined : [request.owner]
  if (flips.length === 0) return undefined
  const sides = new Set<string>()
  flips.forEach((flip, i) => {
    const isFirst = i === 0
    if (isFirst && request.sentAt <= flip.shownAt + marginMs) sides.add(flip.from)
    const until = flips[i + 1]?.shownAt ?? Number.POSITIVE_INFINITY
    if (request.endedAt >= flip.editedAt && request.sentAt <= until + marginMs) sides.add(flip.to)
  })
  return [...sides]
}
