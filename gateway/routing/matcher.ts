// Request -> Route: the most specific one wins, whatever the order of the file (DESIGN §8).
// The danger it guards against: a request at the wrong owner, because of a sibling Route or of how its path is written.
import type { Asked, AuthRules, PathRules, RouteMatch } from '../model.ts'
import { type Candidate, candidateOf, compareWeights, Facts, findUnmet } from './candidate.ts'
import { explainChoice, explainUnmet } from './explain.ts'
import { createHosts, type Hosts, listHosts } from './host.ts'
import { loosePath, normalisePath } from './path.ts'
import { foldPattern, loosenPattern, type Pattern, parsePattern } from './pattern.ts'
import { createTable, type Table, type Walk, walkTable } from './table.ts'

type Matchable = { readonly name: string; readonly match: RouteMatch; readonly auth?: AuthRules }

export interface Found<R> {
  readonly route: R
  /** The normalised path. */
  readonly path: string
  /** The name of a Route that only the loose copy of the path meets; looked for when no Route took the request. */
  readonly nearMiss?: string
  /** Another Route, with `auth`, that the loose copy meets: whoever reads the path like that must not be led past it. */
  readonly guardedBy?: R
}

export interface Explanation<R> extends Found<R> {
  /** Why this Route: a sentence. */
  readonly because: string
  /** The Route that would have taken the request without the first; undefined: `unmatched` would have. */
  readonly second?: R
  /** The Routes whose path is met and that still do not take the request, each with a sentence. */
  readonly rejected: readonly { readonly route: R; readonly because: string }[]
}

export interface Matcher<R> {
  match(asked: Asked): Found<R>
  explain(asked: Asked): Explanation<R>
}

/** The Routes of every host, by one of the two copies of their paths. */
type Index<R> = Hosts<Table<R>>

/** @param routes whose patterns `parsePattern` accepts and among which `findConflicts` finds none */
export function createMatcher<R extends Matchable>(routes: readonly R[], unmatched: R, paths: PathRules): Matcher<R> {
  const candidates = routes.map((route) => candidateOf(route, foldPattern(acceptedPattern(route), paths)))
  const loosened = candidates.map((candidate) => ({ ...candidate, pattern: loosenPattern(candidate.pattern) }))
  const isAnyLoosened = loosened.some(({ pattern }, index) => pattern !== candidates[index]?.pattern)
  const strict = createIndex(candidates)
  const loose = isAnyLoosened ? createIndex(loosened) : strict

  const isAnyGuarded = routes.some(({ auth }) => auth !== undefined)

  /** What only the loose copy of the path meets. */
  function meetLoosely(path: string, facts: Facts, met: R | undefined): Pick<Found<R>, 'nearMiss' | 'guardedBy'> {
    if (met && !isAnyGuarded) return {}
    const folded = loosePath(facts.asked.target)
    if (folded === path && loose === strict) return {}
    const other = findFirst(loose, folded, facts)?.route
    if (!other || other === met) return {}
    return { ...(!met && { nearMiss: other.name }), ...(other.auth && { guardedBy: other }) }
  }

  return {
    match(asked) {
      const facts = new Facts(asked)
      const path = normalisePath(asked.target, paths)
      const met = findFirst(strict, path, facts)
      return { route: met?.route ?? unmatched, path, ...meetLoosely(path, facts, met?.route) }
    },
    explain(asked) {
      const facts = new Facts(asked)
      const path = normalisePath(asked.target, paths)
      const { fitting, rejected } = sortOut(strict, path, facts)
      const [first, second] = fitting
      const because = explainChoice(first, second)
      const loosely = meetLoosely(path, facts, first?.route)
      if (first === undefined) return { route: unmatched, path, because, rejected, ...loosely }
      return { route: first.route, path, because, rejected, ...(second && { second: second.route }), ...loosely }
    },
  }
}

function createIndex<R extends Matchable>(candidates: readonly Candidate<R>[]): Index<R> {
  const byHost = Map.groupBy(candidates.toSorted(compareWeights), ({ host }) => host)
  return createHosts(byHost.keys(), (host) => createTable(byHost.get(host) ?? []))
}

/** The most specific Candidate that fits. */
function findFirst<R>(index: Index<R>, path: string, facts: Facts): Candidate<R> | undefined {
  let met: Candidate<R> | undefined
  const take = (candidate: Candidate<R>) => {
    if (findUnmet(candidate, facts) !== undefined) return false
    met = candidate
    return true
  }
  const walk: Walk<R> = { path, take, steps: 0 }
  if (hasHosts(index)) listHosts(index, facts.host).some((table) => walkTable(table, walk))
  else walkTable(index.none, walk)
  return met
}

/** All Candidates whose path is met: those that fit, the most specific first, and why the others do not. */
function sortOut<R extends Matchable>(index: Index<R>, path: string, facts: Facts) {
  const fitting: Candidate<R>[] = []
  const rejected: { route: R; because: string }[] = []
  const applying = new Set(listHosts(index, facts.host))
  const sort = (candidate: Candidate<R>, isHostMet: boolean) => {
    const unmet = findUnmet(candidate, facts)
    if (!isHostMet) rejected.push({ route: candidate.route, because: `it is for the host "${candidate.host}"` })
    else if (unmet) rejected.push({ route: candidate.route, because: explainUnmet(unmet, facts) })
    else fitting.push(candidate)
    return false
  }
  for (const table of new Set([...applying, ...index.exact.values(), ...index.suffixes.values()])) {
    walkTable(table, { path, take: (candidate) => sort(candidate, applying.has(table)), steps: 0 })
  }
  return { fitting, rejected }
}

function hasHosts(index: Hosts<unknown>): boolean {
  return index.exact.size > 0 || index.suffixes.size > 0
}

function acceptedPattern({ name, match }: Matchable): Pattern {
  const pattern = parsePattern(match.path)
  if ('problem' in pattern) throw new Error(`route "${name}": ${pattern.problem}`)
  return pattern
}
