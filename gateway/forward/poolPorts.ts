// What pools are given, whatever protocol their connections speak.
// The danger it guards against: a pool that asks the machine for time, names or the size of its fleet by itself.
import type { LookupFunction } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { Clock, Target } from '../model.ts'

export interface PoolPorts {
  readonly clock: Clock
  readonly lookup: LookupFunction
  /** For a connection that is made now; undefined: the system's. Throws a Failure while there should be one and is none. */
  contextOf(target: Target): SecureContext | undefined
  /** The part of a bound of the whole fleet that is this gateway's own: 1 at least. It changes with the fleet. */
  shareOf(ofFleet: number): number
}
