// Other ways to write the path of a Route that moves, which the monolith may take for the same path.
// The danger it guards against: a request that still reaches the old side because its client writes the path otherwise.
import type { Problem, RouteDeclaration } from '../model.ts'
import { exampleOf, parsePattern } from './pattern.ts'

type Declared = Pick<RouteDeclaration, 'name' | 'match' | 'position'> & { readonly move?: unknown }

const remedy =
  'say which the monolith does: paths: { case: exact | insensitive, trailingSlash: distinct | same, semicolon: distinct | same }'

/**
 * At most one warning for the file, at the first Route that moves.
 * @param routes all of the file; those without `move` are passed over
 * @param isPathsDeclared whether the file has the key `paths`
 */
export function findPathDoubts(routes: readonly Declared[], isPathsDeclared: boolean): Problem | undefined {
  if (isPathsDeclared) return undefined
  const doubtful = routes
    .filter(({ move }) => move !== undefined)
    .map((route) => ({ route, variants: variantsOf(route.match.path) }))
    .filter(({ variants }) => variants.length > 0)
  const [first] = doubtful
  if (first === undefined) return undefined
  const { name, match, position } = first.route
  const others = doubtful.length > 1 ? ` (${countOf(doubtful.length - 1)} likewise)` : ''
  const message =
    `the monolith may take ${listOf(first.variants)} for "${match.path}" too, and route "${name}"${others} would not ` +
    `move them; ${remedy}`
  return { line: position.line, column: position.column, severity: 'warning', message }
}

/** Examples of paths that differ from the pattern only by case, trailing slash or parameter. */
function variantsOf(path: string): string[] {
  const pattern = parsePattern(path)
  if ('problem' in pattern) return []
  const example = exampleOf(pattern)
  const capitals = example.toUpperCase()
  const variants = capitals === example ? [] : [capitals]
  if (pattern.kind === 'prefix') return pattern.segments.length === 0 ? [] : [...variants, `${example};x=1`]
  if (!example.endsWith('/')) return [...variants, `${example}/`, `${example};x=1`]
  return example === '/' ? variants : [...variants, example.slice(0, -1)]
}

function countOf(further: number): string {
  return further === 1 ? 'and 1 other route' : `and ${further} other routes`
}

function listOf(variants: readonly string[]): string {
  const quoted = variants.map((variant) => `"${variant}"`)
  return quoted.length < 2 ? quoted.join() : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}
