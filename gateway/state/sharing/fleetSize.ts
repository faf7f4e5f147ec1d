// How many gateways share what an upstream may be given.
// The danger it guards against: an upstream that is given more than it can carry, because each gateway believes it is alone.
import type { Replicas } from './replicas.ts'

export interface FleetSize {
  /** At least 1. */
  now(): number
  /** Those that are alive, by their ids; empty while nobody knows. */
  living(): ReadonlySet<string>
  /** Counts anew; never rejects. */
  count(): Promise<void>
}

/** @param expected how many there should be: so many are believed in until somebody knows */
export function createFleetSize(replicas: Pick<Replicas, 'all'> | undefined, expected: number): FleetSize {
  let size = expected
  let living: ReadonlySet<string> = new Set()
  return {
    now: () => size,
    living: () => living,
    async count() {
      if (!replicas) return
      const alive = await replicas.all().catch(() => undefined)
      // Without the store those that were there go on unseen, and others may start.
      size = alive ? Math.max(1, alive.size) : Math.max(size, expected)
      if (alive) living = new Set(alive.keys())
    },
  }
}

/** @returns a function for the part of a bound of the whole fleet that is this gateway's own: never none */
export function sharer(size: () => number): (ofFleet: number) => number {
  return (ofFleet) => Math.max(1, Math.floor(ofFleet / size()))
}
