// What pools are given, whatever protocol their connections speak.
// The danger it guards against: a pool that asks the machine for time, names or the size of its fleet by itself.
import type { LookupFunction } from 'node:net'
import type { Clock } from '../model.ts'

export interface PoolPorts {
  readonly clock: Clock
  readonly lookup: LookupFunction
  /** The part of a bound of the whole fleet that is this gateway's own: 1 at least. It changes with the fleet. */
  shareOf(ofFleet: number): number
}
