// What the other replicas saw of each move, so that a guard judges by all of them: a candidate that fails one request in a
// hundred may be caught by nobody alone. The danger it guards against: what they saw before a move came to stand where it
// stands, added to what is seen since.
//
// Each second a replica reports its sums over each span of the guard, not the newest second alone: whoever misses a second,
// or has just started, has all of them, and an hour needs no more than the last report. That is about 4 KB for each move
// under guard. It is said for this second and the next, and the second before this one is read: whatever the phase of a
// replica's round, it has spoken for that one, be its clock a second late.
import type { Clock } from '../../model.ts'
import { type Counts, countOf } from '../../rollout/counts.ts'
import type { Span } from '../../rollout/spans.ts'
import type { Seen } from '../guarding.ts'
import type { RolloutState } from '../rolloutBook.ts'
import type { Counts as Reported, Store } from '../store/port.ts'

export interface SharedCounts {
  /** Says what was seen here, and hears what the others saw; called each second. Never rejects. */
  exchange(own: ReadonlyMap<RolloutState, Seen>): Promise<void>
  /** What the others saw; undefined while nothing is known of it. */
  of(state: RolloutState): Seen | undefined
}

interface Parts {
  readonly store: Store
  readonly id: string
  readonly clock: Clock
}

const name = 'guard'
const slotMs = 1_000

export function shareCounts({ store, id, clock }: Parts): SharedCounts {
  /** What this replica has said, by slot: it is taken off the sum of all. */
  const said = new Map<number, Reported>()
  let others: Reported = new Map()

  function say(slotAt: number, counts: Reported): Promise<void> {
    said.set(slotAt, counts)
    return store.reportCounts(name, slotAt, counts)
  }

  return {
    async exchange(own) {
      // Where nothing is under guard nobody needs to know.
      if (own.size === 0) return
      const slotAt = Math.floor(clock.wall() / slotMs) * slotMs
      const counts = new Map([...own].flatMap(([state, seen]) => entriesOf(placeOf(state), seen, id)))
      for (const old of said.keys()) if (old < slotAt - 2 * slotMs) said.delete(old)
      try {
        await Promise.all([say(slotAt, counts), say(slotAt + slotMs, counts)])
        const [sum = new Map()] = await store.sumCounts(name, [slotAt - slotMs])
        others = without(sum, said.get(slotAt - slotMs) ?? new Map())
      } catch {
        // Each goes on with its own.
        others = new Map()
      }
    },
    of: (state) => seenAt(placeOf(state), others),
  }
}

/** Whoever stands elsewhere speaks of something else. */
function placeOf({ rollout, effective }: RolloutState): string {
  return `${rollout.key} ${effective.stage} ${effective.shareBasisPoints}`
}

const sides = ['candidate', 'control'] as const

function entriesOf(place: string, { spans, rows }: Seen, id: string): [string, readonly number[]][] {
  const hasSeen = spans.some((span) => sides.some((side) => countOf(span[side], 'requests') > 0))
  if (!hasSeen) return []
  const sums = spans.flatMap((span) =>
    sides.map((side): [string, readonly number[]] => [`${place} ${span.spanMs} ${side}`, trimmed(span[side])]),
  )
  // Under a key of its own, for rows do not add up.
  return [...sums, [`${place} row ${id}`, [rows.candidate, rows.control]]]
}

function trimmed(counts: Counts): readonly number[] {
  return counts.slice(0, counts.findLastIndex((count) => count > 0) + 1)
}

function without(sum: Reported, own: Reported): Reported {
  return new Map(
    [...sum].map(([key, counts]) => [key, counts.map((count, i) => Math.max(0, count - (own.get(key)?.[i] ?? 0)))]),
  )
}

function seenAt(place: string, others: Reported): Seen | undefined {
  const spans = new Map<number, Span>()
  const rows = { candidate: 0, control: 0 }
  for (const [key, counts] of others) {
    if (!key.startsWith(`${place} `)) continue
    const [what = '', side = ''] = key.slice(place.length + 1).split(' ')
    if (what === 'row') {
      rows.candidate = Math.max(rows.candidate, counts[0] ?? 0)
      rows.control = Math.max(rows.control, counts[1] ?? 0)
    } else {
      const spanMs = Number(what)
      spans.set(spanMs, { spanMs, candidate: [], control: [], ...spans.get(spanMs), [side]: counts })
    }
  }
  return spans.size > 0 ? { spans: [...spans.values()], rows } : undefined
}
