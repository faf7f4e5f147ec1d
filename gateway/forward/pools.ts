// The connections to upstreams, kept under the target they lead to. They outlive Snapshots.
// The danger it guards against: a reload that cuts connections nothing has changed about, or that leaks those nobody uses any more.
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector, Pool } from 'undici'
import type { Upstream } from '../model.ts'

/** Below the idle time of common servers (Node 5 s, Apache 5 s, Tomcat 20 s), or a request meets a connection being closed. */
const keepAliveMs = 4_000

export interface Pools {
  poolOf(upstream: Upstream): Pool
  /** Closes, once idle, the pools of upstreams that are not among these. */
  retain(upstreams: Iterable<Upstream>): void
  /** Cuts everything. */
  destroy(): Promise<void>
}

export function createPools(lookup: LookupFunction): Pools {
  const pools = new Map<string, Pool>()
  return {
    poolOf(upstream) {
      const key = keyOf(upstream)
      const known = pools.get(key)
      if (known) return known
      const made = createPool(upstream, lookup)
      pools.set(key, made)
      return made
    },
    retain(upstreams) {
      const wanted = new Set(Array.from(upstreams, keyOf))
      for (const [key, pool] of pools) {
        if (wanted.has(key)) continue
        pools.delete(key)
        void pool.close()
      }
    },
    async destroy() {
      const all = [...pools.values()]
      pools.clear()
      await Promise.all(all.map((pool) => pool.destroy()))
    },
  }
}

function keyOf({ target, connectMs }: Upstream): string {
  return `${target.origin} ${connectMs}`
}

function createPool({ target, connectMs }: Upstream, lookup: LookupFunction): Pool {
  const connect = buildConnector({ timeout: connectMs, lookup, allowH2: false })
  // The certificate is the target's, whatever Host the client sent.
  const servername = isIP(target.host) ? '' : target.host
  return new Pool(target.origin, {
    connect: (options, callback) => connect({ ...options, servername }, callback),
    keepAliveTimeout: keepAliveMs,
    // Our own clock decides: theirs starts before the request has been sent.
    headersTimeout: 0,
    bodyTimeout: 0,
    pipelining: 1,
    allowH2: false,
  })
}
