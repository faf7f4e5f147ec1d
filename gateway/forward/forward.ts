// How requests go out: the one function that every attempt, of whatever role, ends in.
import type { LookupFunction } from 'node:net'
import type { Answer, Clock, Exchange } from '../model.ts'
import { dispatch } from './dispatch.ts'
import type { Pools } from './pools.ts'
import { upgrade } from './upgrade.ts'

/** Rejects only with a Failure. */
export type Forward = (exchange: Exchange) => Promise<Answer>

export function createForward(ports: { clock: Clock; pools: Pools; lookup: LookupFunction }): Forward {
  return function forward(exchange) {
    if (exchange.upgrade !== undefined) return upgrade(exchange, ports)
    return dispatch(exchange, ports.pools.poolOf(exchange.upstream), ports.clock)
  }
}
