// Methods of a path whose Route asks who it is, that the Route does not take and another one does, which asks nobody.
// The danger it guards against: GET of a path that is guarded, and HEAD of it, which says nearly as much, that is not.
import { fieldsOf } from '../message/fields.ts'
import type { PathRules, Problem, RouteDeclaration } from '../model.ts'
import { createMatcher } from '../routing/matcher.ts'
import { exampleOf, parsePattern, shapeOf } from '../routing/pattern.ts'

type Declared = Pick<RouteDeclaration, 'name' | 'match' | 'position' | 'auth'>

/** What clients of a site send. */
const usual = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** A warning at each such Route; a method that another Route of the same path names is meant to be as that one says. */
export function findOpenMethods(routes: readonly Declared[], paths: PathRules): readonly Problem[] {
  if (!routes.some(({ auth, match }) => auth && match.methods)) return []
  const unmatched = { name: 'unmatched', match: { path: '/*' }, position: { line: 1, column: 1 } }
  const matcher = createMatcher<Declared>(routes, unmatched, paths)
  const places = Map.groupBy(routes, placeOf)
  return routes.flatMap((route) => {
    if (!route.auth || !route.match.methods) return []
    const siblings = places.get(placeOf(route)) ?? []
    const open = usual
      .filter((method) => !siblings.some(({ match }) => match.methods?.includes(method) ?? true))
      .map((method) => ({ method, route: matcher.match(askedOf(method, route)).route }))
      .filter(({ route: { auth } }) => auth === undefined)
    return open.length === 0 ? [] : [warningAt(route, open)]
  })
}

function placeOf({ match: { host = '', path } }: Declared): string {
  const pattern = parsePattern(path)
  return `${host.toLowerCase()} ${'problem' in pattern ? path : shapeOf(pattern)}`
}

function askedOf(method: string, { match: { host = 'any', path } }: Declared) {
  const pattern = parsePattern(path)
  const target = 'problem' in pattern ? path : exampleOf(pattern)
  return { method, target, fields: fieldsOf(['Host', host.replace('*', 'any')]) }
}

interface Open {
  readonly method: string
  readonly route: Declared
}

function warningAt({ name, match, position }: Declared, open: readonly Open[]): Problem {
  const methods = open.map(({ method }) => method).join(', ')
  const takers = [...new Set(open.map(({ route }) => `"${route.name}"`))].join(', ')
  const message =
    `route "${name}" asks who it is, but "${match.path}" is open to anybody by ${methods}, through ${takers}: add to its ` +
    'methods, or give the others a route of this path too (with auth: none, if that is meant)'
  return { ...position, severity: 'warning', message }
}
