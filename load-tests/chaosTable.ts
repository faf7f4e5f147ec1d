// What a client gets, who is hit and what the breaker makes of it, for every way in which a new side may fail.
// The danger it guards against: expectations that are read off the code. These follow from the design: what may have run goes
// to the other side only if it reads or the file lists it; after the head nothing replaces an answer; whoever is left alone is
// not asked; every failure of an upstream counts against it, also one that is hidden from the client.

/** In the order of the columns; the last one's method stands in `fallback.methods`. */
export const requests = ['GET', 'POST', 'listed POST'] as const
export type RequestKind = (typeof requests)[number]

/** What the new side does: `none` is a good answer, the others are those of issue 5. */
export const deeds = [
  'none',
  'refuse',
  'reset',
  'midBody',
  'hang',
  'slow',
  '500',
  '503',
  'garbage',
  'halfHead',
  'continueClose',
] as const
export type Deed = (typeof deeds)[number]

export interface Cell {
  readonly deed: Deed
  readonly request: RequestKind
  readonly before: 'closed' | 'open'
  readonly hasFallback: boolean
  /** `answer hits`: see the table. */
  readonly expected: string
  /** The state of the breaker afterwards. */
  readonly after: string
}

/**
 * A cell: the status; who answered (`old`, `new`, or the gateway with a code of errors.ts less its `upstream`), with a `!` when
 * the answer broke off visibly; the hits at the new side + at the old side. One failed or slow request opens these breakers.
 */
const table = `
deed           before  fallback  after   GET                       POST                      listed POST
none           closed  off       closed  200 new 1+0               200 new 1+0               200 new 1+0
none           closed  on        closed  200 new 1+0               200 new 1+0               200 new 1+0
refuse         closed  off       open    502 Refused 0+0           502 Refused 0+0           502 Refused 0+0
refuse         closed  on        open    200 old 0+1               200 old 0+1               200 old 0+1
reset          closed  off       open    502 Reset 1+0             502 Reset 1+0             502 Reset 1+0
reset          closed  on        open    200 old 1+1               502 Reset 1+0             200 old 1+1
midBody        closed  off       open    200 new! 1+0              200 new! 1+0              200 new! 1+0
midBody        closed  on        open    200 new! 1+0              200 new! 1+0              200 new! 1+0
hang           closed  off       open    504 FirstByteTimeout 1+0  504 FirstByteTimeout 1+0  504 FirstByteTimeout 1+0
hang           closed  on        open    200 old 1+1               504 FirstByteTimeout 1+0  200 old 1+1
slow           closed  off       open    200 new 1+0               200 new 1+0               200 new 1+0
slow           closed  on        open    200 new 1+0               200 new 1+0               200 new 1+0
500            closed  off       open    500 new 1+0               500 new 1+0               500 new 1+0
500            closed  on        open    500 new 1+0               500 new 1+0               500 new 1+0
503            closed  off       open    503 new 1+0               503 new 1+0               503 new 1+0
503            closed  on        open    200 old 1+1               503 new 1+0               200 old 1+1
garbage        closed  off       open    502 Malformed 1+0         502 Malformed 1+0         502 Malformed 1+0
garbage        closed  on        open    200 old 1+1               502 Malformed 1+0         200 old 1+1
halfHead       closed  off       open    502 Reset 1+0             502 Reset 1+0             502 Reset 1+0
halfHead       closed  on        open    200 old 1+1               502 Reset 1+0             200 old 1+1
continueClose  closed  off       open    502 Reset 1+0             502 Reset 1+0             502 Reset 1+0
continueClose  closed  on        open    200 old 1+1               502 Reset 1+0             200 old 1+1
any            open    off       open    503 Open 0+0              503 Open 0+0              503 Open 0+0
any            open    on        open    200 old 0+1               200 old 0+1               200 old 0+1
`

/** All of them: every deed, request, state and fallback. */
export const cells: readonly Cell[] = table.trim().split('\n').slice(1).flatMap(cellsOfRow)

function cellsOfRow(row: string): readonly Cell[] {
  const [name, before, fallback, after = '', ...expected] = row.split(/ {2,}/)
  return deeds
    .filter((one) => name === 'any' || name === one)
    .flatMap((deed) =>
      requests.map((request, i) => ({
        deed,
        request,
        before: before === 'open' ? 'open' : 'closed',
        hasFallback: fallback === 'on',
        expected: expected[i] ?? '',
        after,
      })),
    )
}
