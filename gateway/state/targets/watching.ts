// How targets fare, all told: by their checks and by their requests. A target is up when neither speaks against it.
// The danger it guards against: one of the two that overrules the other: a check may be well where every request fails.
import type { Target, Upstream } from '../../model.ts'
import type { OutlierBook } from './outliers.ts'
import type { TargetHealth } from './port.ts'
import type { Probing } from './probing.ts'

export interface TargetView {
  /** Its origin. */
  readonly target: string
  readonly isUp: boolean
  /** By its checks; absent: it has none. */
  readonly checks?: { readonly isWell: boolean; readonly good: number; readonly failed: number }
  /** Until requests go to it again, while it is left alone. */
  readonly backInMs?: number
  /** How often it was left alone; absent: it never is. */
  readonly ejections?: number
}

export interface TargetWatch extends TargetHealth {
  /** Of the targets that are watched; none when the file asks for nothing of the kind. */
  viewOf(upstream: Upstream): readonly TargetView[]
}

export function watchOf(probing: Probing, outliers: OutlierBook): TargetWatch {
  const isUp: TargetHealth['isUp'] = (target, upstream) =>
    probing.isUp(target, upstream) && outliers.isUp(target, upstream)
  const view = (target: Target, upstream: Upstream): TargetView => {
    const checks = probing.viewOf(upstream, target)
    return {
      target: target.origin,
      isUp: isUp(target, upstream),
      ...(checks && { checks }),
      ...(upstream.outliers && outliers.viewOf(upstream, target)),
    }
  }
  return {
    isUp,
    upSince(target, upstream) {
      if (!isUp(target, upstream)) return undefined
      const times = [probing.upSince(target, upstream), outliers.upSince(target, upstream)]
      const known = times.filter((time) => time !== undefined)
      return known.length > 0 ? Math.max(...known) : undefined
    },
    viewOf(upstream) {
      const { health, outliers, targets } = upstream
      return health || outliers ? targets.map((target) => view(target, upstream)) : []
    },
  }
}
