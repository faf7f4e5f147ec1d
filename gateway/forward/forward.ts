// How requests go out: the one function that every attempt, of whatever role, ends in.
import type { Answer, Clock, Exchange } from '../model.ts'
import { askHttp1 } from './http1.ts'
import { askHttp2 } from './http2.ts'
import type { Pools } from './pools.ts'

/** Rejects only with a Failure. */
export type Forward = (exchange: Exchange) => Promise<Answer>

export function createForward({ clock, pools }: { clock: Clock; pools: Pools }): Forward {
  return function forward(exchange) {
    const { protocol, target } = exchange.upstream
    // HTTP/2 knows no Upgrade (RFC 9113 §8.6): whoever leaves HTTP leaves HTTP/1.1.
    if (protocol === 'h2' && exchange.upgrade === undefined) return askHttp2(exchange, pools.http2(target), clock)
    return askHttp1(exchange, pools.http1(target), clock)
  }
}
