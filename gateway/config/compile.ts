// A Declaration and the ports its filters use -> the Snapshot that requests are served by, frozen as a whole.
// The danger it guards against: a Snapshot that somebody changes while requests run through it.

import type { Services } from '../model/ports.ts'
import type { Route, Snapshot } from '../model.ts'
import { pipeline } from '../pipeline.ts'
import { createMatcher } from '../routing/matcher.ts'
import type { Declaration, DeclaredRoute } from './declaration.ts'

/** Which reading this is. */
export interface Stamp {
  /** 1, 2, 3 … since the process started. */
  readonly revision: number
  /** Milliseconds since the epoch. */
  readonly loadedAt: number
}

export function compile(declaration: Declaration, services: Services, { revision, loadedAt }: Stamp): Snapshot {
  const { hash, settings, warnings } = declaration
  const routes = declaration.routes.map((route) => compileRoute(route, services))
  const unmatched = compileRoute(declaration.unmatched, services)
  const matcher = createMatcher(routes, unmatched, settings.paths)
  const upstreams = frozenMap(declaration.upstreams)
  const rollouts = frozenMap(declaration.rollouts)
  const match: Snapshot['match'] = (asked) => matcher.match(asked)
  return freeze({ revision, hash, loadedAt, settings, upstreams, routes, unmatched, rollouts, warnings, match })
}

function compileRoute({ configured, ...route }: DeclaredRoute, services: Services): Route {
  const bound = configured.map(({ filter }) => filter.bind(services))
  return freeze({ ...route, filters: configured.map(({ name }) => name), run: pipeline(bound) })
}

/** Plain values and lists all the way down; what is frozen already is not entered again. */
function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  Object.freeze(value)
  for (const inner of Object.values(value)) freeze(inner)
  return value
}

/** Freezing a Map does not stop `set`: this does. */
function frozenMap<K, V>(entries: ReadonlyMap<K, V>): ReadonlyMap<K, V> {
  const refuse = () => {
    throw new TypeError('a Snapshot is never changed')
  }
  for (const value of entries.values()) freeze(value)
  return Object.freeze(Object.assign(new Map(entries), { set: refuse, delete: refuse, clear: refuse }))
}
