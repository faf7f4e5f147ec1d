// How many requests each Upstream with `concurrency: adaptive` is given at a time. It outlives every reading.
// The danger it guards against: a reload that forgets what an upstream can take, and finds out anew at its cost.
import { Gradient } from '../../balancing/gradient.ts'
import type { Clock, ConcurrencyLimit, Snapshot, Upstream } from '../../model.ts'

export interface ConcurrencyBook {
  /** Undefined: nothing bounds it but its connections. */
  of(upstream: Pick<Upstream, 'name'>): ConcurrencyLimit | undefined
  viewOf(upstream: Pick<Upstream, 'name'>): ConcurrencyView | undefined
  follow(snapshot: Pick<Snapshot, 'upstreams'>): void
}

export interface ConcurrencyView {
  /** How many may be under way now. */
  readonly most: number
  /** What its answers take while it is not busy; absent before that was measured. */
  readonly calmMs?: number
}

export interface ConcurrencyParts {
  readonly clock: Pick<Clock, 'now'>
  /** In [0, 1). */
  readonly random: () => number
  /** The part of what the fleet may have that is this gateway's own: 1 at least. */
  readonly shareOf: (ofFleet: number) => number
}

/** Below it nothing can be measured any more (Envoy's min_concurrency). */
const least = 3
/** Where it begins (Netflix's initialLimit). */
const initial = 20

interface Limited {
  /** As the newest file has it. */
  upstream: Upstream
  readonly limit: ConcurrencyLimit
  readonly gradient: Gradient
}

export function createConcurrency({ clock, random, shareOf }: ConcurrencyParts): ConcurrencyBook {
  const all = new Map<string, Limited>()

  function make(upstream: Upstream): Limited {
    const bounds = () => {
      const most = shareOf(made.upstream.maxConnections)
      return { least: Math.min(least, most), most }
    }
    const gradient = new Gradient({ now: clock.now, random, bounds, initial })
    const limit = {
      most: () => gradient.most,
      took: (answered: Parameters<Gradient['add']>[0]) => gradient.add(answered),
    }
    const made: Limited = { upstream, gradient, limit }
    return made
  }

  return {
    of: ({ name }) => all.get(name)?.limit,
    viewOf({ name }) {
      const found = all.get(name)
      if (!found) return undefined
      const { most, calmMs } = found.gradient
      return { most, ...(calmMs !== undefined && { calmMs }) }
    },
    follow({ upstreams }) {
      const wanted = [...upstreams.values()].filter(({ isAdaptive }) => isAdaptive)
      for (const upstream of wanted) {
        const known = all.get(upstream.name)
        if (known) known.upstream = upstream
        else all.set(upstream.name, make(upstream))
      }
      const names = new Set(wanted.map(({ name }) => name))
      for (const name of all.keys()) if (!names.has(name)) all.delete(name)
    },
  }
}
