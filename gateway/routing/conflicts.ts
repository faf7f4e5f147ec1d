// Routes that are equally specific and could take the same request: a mistake in routes.yaml, since file order never counts.
// The danger it guards against: a request whose owner depends on chance.
import type { PathRules, Position, RouteMatch } from '../model.ts'
import { type Candidate, candidateOf } from './candidate.ts'
import { foldPattern, parsePattern, shapeOf } from './pattern.ts'

type Declared = { readonly name: string; readonly match: RouteMatch; readonly position: Position }

export interface Conflict<R> {
  /** The one that stands first in the file. */
  readonly first: R
  readonly second: R
  /** A sentence that names both, their lines and the remedy. */
  readonly message: string
}

/** A Candidate with its place in the file's list. */
interface Member<R> {
  readonly order: number
  readonly candidate: Candidate<R>
}

interface Pair<R> {
  readonly first: Member<R>
  readonly second: Member<R>
  /** One that both take; empty: any. */
  readonly method: string
}

/**
 * Each Route with the first ones in the file that it conflicts with: one for each method and set of requirement names, so
 * that a thousand copies of a Route are a thousand Conflicts and not half a million. Patterns with a problem are passed over.
 */
export function findConflicts<R extends Declared>(routes: readonly R[], paths: PathRules): Conflict<R>[] {
  const members = routes.flatMap((route, order) => {
    const pattern = parsePattern(route.match.path)
    return 'problem' in pattern ? [] : { order, candidate: candidateOf(route, foldPattern(pattern, paths)) }
  })
  const pairs = [...Map.groupBy(members, rankOf).values()].flatMap(findAmongEquals)
  return distinct(pairs).map(conflictOf)
}

/** Routes of different rank never conflict: the text is the same for those of equal rank and path shape. */
function rankOf({ candidate: { host, pattern, weights } }: Member<unknown>): string {
  return JSON.stringify([host, shapeOf(pattern), weights])
}

function findAmongEquals<R>(members: readonly Member<R>[]): Pair<R>[] {
  if (members.length < 2) return []
  const groups = [...Map.groupBy(members, ({ candidate }) => namesOf(candidate)).values()]
  return groups.flatMap((earlier) => groups.flatMap((later) => findAcross(earlier, later)))
}

/**
 * Two Routes can take one request unless they ask for different values of the same name. All of a group ask for the same
 * names, so the values of the names that both groups share decide, and a look-up takes the place of comparing all pairs.
 */
function findAcross<R>(earlier: readonly Member<R>[], later: readonly Member<R>[]): Pair<R>[] {
  const known = new Set(valuesOf(earlier[0]?.candidate).keys())
  const shared = [...valuesOf(later[0]?.candidate).keys()].filter((name) => known.has(name))
  const firsts = new Map<string, Member<R>>()
  for (const member of earlier) {
    for (const { key } of keysOf(member, shared)) if (!firsts.has(key)) firsts.set(key, member)
  }
  return later.flatMap((second) =>
    keysOf(second, shared).flatMap(({ key, method }) => {
      const first = firsts.get(key)
      return first !== undefined && first.order < second.order ? { first, second, method } : []
    }),
  )
}

/** One key for each method; equal keys: a request with this method can meet both. */
function keysOf({ candidate }: Member<unknown>, shared: readonly string[]): { key: string; method: string }[] {
  const values = valuesOf(candidate)
  const methods = candidate.requirements.find((requirement) => requirement.kind === 'method')?.methods ?? ['']
  return methods.map((method) => ({ key: JSON.stringify([method, ...shared.map((name) => values.get(name))]), method }))
}

/** What it asks for beside methods, as one text: which names, and which of them with any value. */
function namesOf(candidate: Candidate<unknown>): string {
  const names = named(candidate).map(({ kind, name, value }) => JSON.stringify([kind, name, value === '*']))
  return names.sort().join()
}

/** The requirements of one certain value. */
function valuesOf(candidate: Candidate<unknown> | undefined): Map<string, string> {
  const certain = candidate === undefined ? [] : named(candidate).filter(({ value }) => value !== '*')
  return new Map(certain.map(({ kind, name, value }) => [`${kind} ${name}`, value]))
}

function named(candidate: Candidate<unknown>) {
  return candidate.requirements.filter((requirement) => requirement.kind !== 'method')
}

/** In the order of the file, each two Routes once. */
function distinct<R>(pairs: readonly Pair<R>[]): Pair<R>[] {
  const sorted = pairs.toSorted((a, b) => a.second.order - b.second.order || a.first.order - b.first.order)
  return sorted.filter(
    ({ first, second }, index) => sorted[index - 1]?.first !== first || sorted[index - 1]?.second !== second,
  )
}

function conflictOf<R extends Declared>({ first, second, method }: Pair<R>): Conflict<R> {
  const [a, b] = [first.candidate, second.candidate]
  const where = a.host === undefined ? '' : ` on host "${a.host}"`
  const taken = `${method} ${a.route.match.path}${where}`.trimStart()
  const remedy =
    namesOf(a) === namesOf(b)
      ? 'give them different methods, or merge them'
      : 'let one of them also ask for what the other asks for'
  const message = `routes ${say(a.route)} and ${say(b.route)} are equally specific and both would take ${taken}; ${remedy}`
  return { first: a.route, second: b.route, message }
}

function say({ name, position }: Declared): string {
  return `"${name}" (line ${position.line})`
}
