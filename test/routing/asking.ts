// Short ways to write requests, routes and rules for the tests of routing.
import { fieldsOf } from '../../gateway/message/fields.ts'
import type { Asked, PathRules, RouteMatch } from '../../gateway/model.ts'

export interface TestRoute {
  readonly name: string
  readonly match: RouteMatch
}

export const exactRules: PathRules = { case: 'exact', trailingSlash: 'distinct', semicolon: 'distinct' }
export const lenientRules: PathRules = { case: 'insensitive', trailingSlash: 'same', semicolon: 'same' }
export const unmatched: TestRoute = { name: 'unmatched', match: { path: '/*' } }

/** @param raw name, value, name, value … */
export function ask(method: string, target: string, ...raw: string[]): Asked {
  return { method, target, fields: fieldsOf(raw) }
}

export function routeOf(name: string, path: string, rest: Omit<RouteMatch, 'path'> = {}): TestRoute {
  return { name, match: { path, ...rest } }
}
