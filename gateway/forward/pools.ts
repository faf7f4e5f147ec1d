// The connections to upstreams, kept under the target they lead to. They outlive Snapshots.
// The danger it guards against: a reload that cuts connections nothing has changed about, or that leaks those nobody uses any more.
import type { Target, Upstream, UpstreamLoad } from '../model.ts'
import { connectionsAtOne } from './limits.ts'
import { Pool } from './pool.ts'
import type { PoolPorts } from './poolPorts.ts'
import { Http2Pool } from './session.ts'

const sweepEveryMs = 1_000

export interface Pools {
  http1(target: Target): Pool
  http2(target: Target): Http2Pool
  /** @param at those of its targets that are meant; absent: all */
  loadOf(upstream: Upstream, at?: readonly Target[]): UpstreamLoad
  /** Lets go of the targets that none of these upstreams has: their idle connections now, the others after their answer. */
  retain(upstreams: Iterable<Upstream>): void
  /** Cuts everything. */
  destroy(): void
}

export function createPools(ports: PoolPorts): Pools {
  const http1 = new Map<string, Pool>()
  const http2 = new Map<string, Http2Pool>()
  const sweeping = setInterval(() => {
    for (const pool of http1.values()) pool.sweep()
    for (const { room } of http2.values()) room.serve()
  }, sweepEveryMs).unref()
  return {
    http1: (target) => obtain(http1, keyOf(target), () => new Pool(target, ports)),
    http2: (target) => obtain(http2, keyOf(target), () => new Http2Pool(target, ports)),
    loadOf(upstream, at = upstream.targets) {
      const poolAt = (key: string) => (upstream.protocol === 'h2' ? http2.get(key)?.room : http1.get(key))
      const pools = at.map((target) => poolAt(keyOf(target))).filter((pool) => pool !== undefined)
      return {
        open: pools.reduce((sum, { size }) => sum + size, 0),
        waiting: pools.reduce((sum, { waiting }) => sum + waiting, 0),
        most: at.length * ports.shareOf(connectionsAtOne(upstream)),
      }
    },
    retain(upstreams) {
      const wanted = new Set(Array.from(upstreams, ({ targets }) => targets.map(keyOf)).flat())
      for (const pool of dropOthers(http1, wanted)) pool.retire()
      for (const pool of dropOthers(http2, wanted)) pool.retire()
    },
    destroy() {
      clearInterval(sweeping)
      for (const pool of dropOthers(http1, new Set())) pool.destroy()
      for (const pool of dropOthers(http2, new Set())) pool.destroy()
    },
  }
}

/** Where a connection leads and how it is secured: what two upstreams have in common, they share. */
function keyOf({ origin, verify, tls }: Target): string {
  const plain = verify ? origin : `${origin} unverified`
  return tls ? `${plain} ${JSON.stringify(tls)}` : plain
}

function obtain<T>(pools: Map<string, T>, key: string, create: () => T): T {
  const known = pools.get(key)
  if (known) return known
  const made = create()
  pools.set(key, made)
  return made
}

/** Removes and returns all whose key is not wanted. */
function dropOthers<T>(pools: Map<string, T>, wanted: ReadonlySet<string>): T[] {
  const dropped: T[] = []
  for (const [key, pool] of pools) {
    if (wanted.has(key)) continue
    pools.delete(key)
    dropped.push(pool)
  }
  return dropped
}
