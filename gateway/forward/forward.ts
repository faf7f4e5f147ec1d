// How requests go out: the one function that every attempt, of whatever role, ends in.
import type { Answer, Clock, Exchange } from '../model.ts'
import { Http1Attempt } from './http1.ts'
import { Http2Attempt } from './http2.ts'
import type { Pools } from './pools.ts'

/** Rejects only with a Failure. */
export type Forward = (exchange: Exchange) => Promise<Answer>

export function createForward({ clock, pools }: { clock: Clock; pools: Pools }): Forward {
  return function forward(exchange) {
    const { protocol, target } = exchange.upstream
    // HTTP/2 knows no Upgrade (RFC 9113 §8.6): whoever leaves HTTP leaves HTTP/1.1.
    const isHttp2 = protocol === 'h2' && exchange.upgrade === undefined
    return new Promise((resolve, reject) => {
      const parts = { exchange, clock, resolve, reject }
      if (isHttp2) new Http2Attempt(parts, pools.http2(target)).start()
      else new Http1Attempt(parts, pools.http1(target)).start()
    })
  }
}
