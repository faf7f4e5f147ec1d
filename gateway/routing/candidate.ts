// A Route as the matcher sees it: its folded pattern, and what it asks of a request beside the path.
// The danger it guards against: two Routes of which now the one, now the other takes the same request.
import type { Asked, RouteMatch } from '../model.ts'
import { hostOf } from './host.ts'
import { queryOf } from './path.ts'
import type { Pattern } from './pattern.ts'

export type Requirement =
  | { readonly kind: 'method'; readonly methods: readonly string[] }
  /** `*` is any value. Of a repeated name the first value counts, so that two values never both fit. */
  | { readonly kind: 'field' | 'query' | 'cookie'; readonly name: string; readonly value: string }

export interface Candidate<R> {
  readonly route: R
  readonly host: string | undefined
  readonly pattern: Pattern
  readonly requirements: readonly Requirement[]
  /** Methods listed (0 or 1), numbers of fields, query keys and cookies: the order in which ranks are compared. */
  readonly weights: readonly number[]
}

export function candidateOf<R extends { match: RouteMatch }>(route: R, pattern: Pattern): Candidate<R> {
  const { methods, host } = route.match
  const fields = requirementsOf('field', route.match.fields)
  const query = requirementsOf('query', route.match.query)
  const cookies = requirementsOf('cookie', route.match.cookies)
  const method: Requirement[] = methods ? [{ kind: 'method', methods }] : []
  const requirements = [...method, ...fields, ...query, ...cookies]
  return { route, host, pattern, requirements, weights: [method, fields, query, cookies].map(({ length }) => length) }
}

/** Sorts Routes of the same host and path, the most specific first; equals by name, so that file order never counts. */
export function compareWeights<R extends { name: string }>(a: Candidate<R>, b: Candidate<R>): number {
  for (const [index, weight] of a.weights.entries()) {
    const difference = (b.weights[index] ?? 0) - weight
    if (difference !== 0) return difference
  }
  return a.route.name < b.route.name ? -1 : 1
}

/** A request as the requirements see it; what costs something is read at most once, and only if it is asked for. */
export class Facts {
  readonly asked: Asked
  #host: string | undefined
  #query: URLSearchParams | undefined
  #cookies: ReadonlyMap<string, string> | undefined

  constructor(asked: Asked) {
    this.asked = asked
  }

  get host(): string {
    this.#host ??= hostOf(this.asked)
    return this.#host
  }

  get query(): URLSearchParams {
    this.#query ??= new URLSearchParams(queryOf(this.asked.target))
    return this.#query
  }

  get cookies(): ReadonlyMap<string, string> {
    this.#cookies ??= readCookies(this.asked.fields.all('cookie'))
    return this.#cookies
  }
}

/** The first requirement that the request does not meet. */
export function findUnmet(candidate: Candidate<unknown>, facts: Facts): Requirement | undefined {
  for (const requirement of candidate.requirements) if (!isMet(requirement, facts)) return requirement
  return undefined
}

function isMet(requirement: Requirement, facts: Facts): boolean {
  if (requirement.kind === 'method') return requirement.methods.includes(facts.asked.method)
  const found = readValue(requirement.kind, requirement.name, facts)
  return found !== undefined && (requirement.value === '*' || requirement.value === found)
}

function readValue(kind: 'field' | 'query' | 'cookie', name: string, facts: Facts): string | undefined {
  if (kind === 'field') return facts.asked.fields.get(name)
  if (kind === 'query') return facts.query.get(name) ?? undefined
  return facts.cookies.get(name)
}

function requirementsOf(
  kind: 'field' | 'query' | 'cookie',
  values: Readonly<Record<string, string>> | undefined,
): Requirement[] {
  return Object.entries(values ?? {}).map(([name, value]) => ({ kind, name, value }))
}

/** RFC 6265 §5.4; HTTP/2 may split the list over several fields (RFC 9113 §8.2.3). */
function readCookies(lines: readonly string[]): Map<string, string> {
  const cookies = new Map<string, string>()
  for (const pair of lines.flatMap((line) => line.split(';'))) {
    const equals = pair.indexOf('=')
    const name = pair.slice(0, equals).trim()
    if (equals > 0 && !cookies.has(name)) cookies.set(name, pair.slice(equals + 1).trim())
  }
  return cookies
}
