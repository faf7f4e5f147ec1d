// What an edit of routes.yaml changes in its text: routes that come, go or change, and other keys.
// The danger it guards against: a change that nobody meant, hidden between those that somebody did. Keys are told, never their
// values, which may come from the environment.
import { isDeepStrictEqual } from 'node:util'
import { isMapping } from '../config/pointer.ts'

export interface Difference {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  readonly changed: readonly { readonly name: string; readonly keys: readonly string[] }[]
  /** Of the rest of the file: `upstreams.search.url`, `accessLog`. */
  readonly otherKeys: readonly string[]
}

/** @param before what is served, in plain values; @param after what would be */
export function differenceOf(before: unknown, after: unknown): Difference {
  const [old, next] = [routesOf(before), routesOf(after)]
  const kept = [...next].filter(([name]) => old.has(name))
  return {
    added: [...next.keys()].filter((name) => !old.has(name)),
    removed: [...old.keys()].filter((name) => !next.has(name)),
    changed: kept
      .map(([name, route]) => ({ name, keys: differingKeys(old.get(name), route) }))
      .filter(({ keys }) => keys.length > 0),
    otherKeys: differingKeys(withoutRoutes(before), withoutRoutes(after)),
  }
}

function routesOf(value: unknown): Map<string, unknown> {
  const routes = isMapping(value) && Array.isArray(value.routes) ? value.routes : []
  return new Map(routes.map((route) => [String(isMapping(route) ? route.name : ''), route]))
}

function withoutRoutes(value: unknown): unknown {
  return isMapping(value) ? { ...value, routes: undefined } : value
}

/** As deep as both have mappings; lists are one value. */
function differingKeys(before: unknown, after: unknown, path = ''): string[] {
  if (isDeepStrictEqual(before, after)) return []
  if (!isPlain(before) || !isPlain(after)) return [path]
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys].flatMap((key) => differingKeys(before[key], after[key], path === '' ? key : `${path}.${key}`))
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return isMapping(value) && !Array.isArray(value)
}
