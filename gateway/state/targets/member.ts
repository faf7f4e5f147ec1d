// One of an Upstream's targets as it is chosen among the others: what is known of it at that moment.
// The danger it guards against: what was known of it a request ago. Everything is looked up when it is asked for.
import type { Candidate } from '../../balancing/choice.ts'
import { idOf } from '../../balancing/rendezvous.ts'
import { warmthOf } from '../../balancing/slowStart.ts'
import type { Clock, Target, TargetLoad, Upstream } from '../../model.ts'
import type { TargetHealth } from './port.ts'

/** What is remembered of a target while the file changes around it. */
export interface Seat {
  active: number
  unreached: number
  /** When it joined others that were there; monotonic milliseconds. Undefined: it came with them. */
  joinedAt: number | undefined
}

interface MemberParts {
  readonly upstream: Upstream
  readonly target: Target
  readonly seat: Seat
  readonly health: TargetHealth
  readonly now: Clock['now']
}

/** Longer ago than anything. */
const always = Number.NEGATIVE_INFINITY

export class Member implements Candidate {
  readonly origin: string
  readonly id: string
  readonly seat: Seat
  /** The Upstream, at this target. */
  readonly pinned: Upstream
  readonly #parts: MemberParts

  constructor(parts: MemberParts) {
    const { upstream, target, seat } = parts
    this.origin = target.origin
    this.id = idOf(upstream.name, target.origin)
    this.seat = seat
    this.pinned = { ...upstream, target }
    this.#parts = parts
  }

  get isUp(): boolean {
    const { health, target, upstream } = this.#parts
    return health.isUp(target, upstream)
  }

  get active(): number {
    return this.seat.active
  }

  get warmth(): number {
    const { upstream, target, health, now } = this.#parts
    if (upstream.slowStartMs === undefined) return 1
    const since = Math.max(this.seat.joinedAt ?? always, health.upSince(target, upstream) ?? always)
    return warmthOf(upstream.slowStartMs, now() - since)
  }

  /** @param open connections that stand at it */
  loadOf(open: number): TargetLoad {
    const { origin, isUp, warmth, active, seat } = this
    return { origin, isUp, warmth, active, open, unreached: seat.unreached }
  }
}
