// Asks targets whether they are well, beside what clients ask of them, as the file says: `health`. It outlives every reading.
// The danger it guards against: checks that go on for a target that has left the file, or that forget what they knew when it is edited.
import type { Snapshot, Target, Upstream } from '../../model.ts'
import { Check, type CheckedUpstream, type CheckParts } from './check.ts'
import { Kept } from './kept.ts'
import type { TargetHealth } from './port.ts'

export interface Probing extends TargetHealth {
  /** Undefined: it is not asked. */
  viewOf(upstream: Upstream, target: Target): ProbeView | undefined
  follow(snapshot: Pick<Snapshot, 'upstreams' | 'unmatched'>): void
  /** Asks nobody any more. */
  close(): void
}

export interface ProbeView {
  readonly isWell: boolean
  /** Checks since it is known. */
  readonly good: number
  readonly failed: number
}

export function createProbing(parts: CheckParts): Probing {
  const checks = new Kept<Check, CheckedUpstream>()
  const stop = (gone: readonly Check[]) => {
    for (const check of gone) check.stop()
  }
  return {
    isUp: (target, upstream) => checks.find(target, upstream)?.isWell ?? true,
    upSince: (target, upstream) => checks.find(target, upstream)?.upSince,
    viewOf(upstream, target) {
      const check = checks.find(target, upstream)
      return check && { isWell: check.isWell, good: check.good, failed: check.failed }
    },
    follow({ upstreams, unmatched }) {
      const checked = [...upstreams.values()].filter(isChecked)
      const make = (target: Target, upstream: CheckedUpstream) =>
        new Check(parts, { target, upstream, route: unmatched })
      stop(checks.keepOnly(checked, make))
      for (const upstream of checked)
        for (const target of upstream.targets) checks.find(target, upstream)?.follow(upstream)
    },
    close: () => stop(checks.clear()),
  }
}

function isChecked(upstream: Upstream): upstream is CheckedUpstream {
  return upstream.health !== undefined
}
