// All that watches targets, as one: their checks, their requests, and how much their Upstream is given at a time.
// The danger it guards against: one of them that overrules another: a check may be good where every request fails.
import type { Clock, ConcurrencyLimit, Next, Snapshot, Target, TargetTurn, Upstream } from '../../model.ts'
import type { CheckParts } from './check.ts'
import { type ConcurrencyView, createConcurrency } from './concurrency.ts'
import { createOutliers, type OutlierView } from './outliers.ts'
import { overheard } from './overheard.ts'
import type { TargetHealth } from './port.ts'
import { createProbing, type ProbeView } from './probing.ts'

export interface TargetView extends Partial<OutlierView> {
  /** Its origin. */
  readonly target: string
  readonly isUp: boolean
  /** Absent: it is not asked. */
  readonly checks?: ProbeView
}

/** What is known of an Upstream by what its file asks for. */
export interface Watch {
  /** None when neither `health` nor `outliers` is asked for. */
  readonly targets: readonly TargetView[]
  /** Absent: nothing bounds it but its connections. */
  readonly concurrency?: ConcurrencyView
}

export interface TargetWatch {
  /** A target is up when neither its checks nor its requests speak against it. */
  readonly health: TargetHealth
  /** @param forward asks the `target` of its upstream, and no other. @returns the same, heard of */
  hear(forward: Next): Next
  /** Undefined: nothing bounds that one. */
  limitOf(upstream: Upstream): ConcurrencyLimit | undefined
  viewOf(upstream: Upstream): Watch
  /** With the Snapshot that is served from now on: what is known of targets that are still there stays. */
  follow(snapshot: Pick<Snapshot, 'upstreams' | 'unmatched'>): void
  close(): void
}

export interface WatchParts {
  readonly clock: Pick<Clock, 'now'>
  /** In [0, 1). */
  readonly random: () => number
  /** The part of what the fleet may have that is this gateway's own: 1 at least. */
  readonly shareOf: (ofFleet: number) => number
  /** For the checks alone. */
  readonly ask: CheckParts['forward']
  readonly schedule: CheckParts['schedule']
  turned(turn: TargetTurn): void
}

export function createTargetWatch(parts: WatchParts): TargetWatch {
  const { clock, turned } = parts
  const probing = createProbing({ ...parts, forward: parts.ask })
  const outliers = createOutliers({ clock, others: probing, turned })
  const concurrency = createConcurrency(parts)
  const health = bothOf(probing, outliers)

  function viewOf(upstream: Upstream, target: Target): TargetView {
    const checks = probing.viewOf(upstream, target)
    const isUp = health.isUp(target, upstream)
    const left = upstream.outliers && outliers.viewOf(upstream, target)
    return { target: target.origin, isUp, ...(checks && { checks }), ...left }
  }

  return {
    health,
    hear: (forward) => overheard(forward, outliers),
    limitOf: (upstream) => concurrency.of(upstream),
    viewOf(upstream) {
      const { health, outliers, targets } = upstream
      const limited = concurrency.viewOf(upstream)
      return {
        targets: health || outliers ? targets.map((target) => viewOf(upstream, target)) : [],
        ...(limited && { concurrency: limited }),
      }
    },
    follow(snapshot) {
      probing.follow(snapshot)
      outliers.follow(snapshot)
      concurrency.follow(snapshot)
    },
    close: probing.close,
  }
}

function bothOf(checks: TargetHealth, requests: TargetHealth): TargetHealth {
  const isUp: TargetHealth['isUp'] = (target, upstream) =>
    checks.isUp(target, upstream) && requests.isUp(target, upstream)
  return {
    isUp,
    upSince(target, upstream) {
      const times = [checks, requests].map((one) => one.upSince(target, upstream)).filter((at) => at !== undefined)
      return times.length > 0 && isUp(target, upstream) ? Math.max(...times) : undefined
    },
  }
}
