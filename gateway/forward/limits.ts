// What of an Upstream's limits is for each one of its targets: an even part, rounded up.
// The danger it guards against: limits that are multiplied by the number of targets, or one target that takes what all of them may
// have together: each has the room that it has, whether the others are up or not.
import type { Upstream } from '../model.ts'

/** Of the whole fleet. */
export function connectionsAtOne({ maxConnections, targets }: Upstream): number {
  return Math.ceil(maxConnections / targets.length)
}

/** Of one gateway. */
export function pendingAtOne({ maxPending, targets }: Upstream): number {
  return Math.ceil(maxPending / targets.length)
}
