// Why a request went to its Route, which Route came second, and what kept the others that have its path: in sentences.
// The danger it guards against: an explanation that tells another story than the match it explains.
import type { RouteMatch } from '../model.ts'
import type { Candidate, Facts, Requirement } from './candidate.ts'
import { shapeOf } from './pattern.ts'

type Named = { readonly name: string; readonly match: RouteMatch }

const criteria = ['is for fewer methods', 'asks for more fields', 'asks for more query keys', 'asks for more cookies']
const kinds = { exact: 'is exact', params: 'has a :param', prefix: 'is a prefix' }

/** @param second the next Route that would have taken the request; `first` undefined: none took it. */
export function explainChoice<R extends Named>(first?: Candidate<R>, second?: Candidate<R>): string {
  if (first === undefined) return 'no route takes it'
  const { path } = first.route.match
  if (second === undefined) return `no other route takes it; the path "${path}" ${kinds[first.pattern.kind]}`
  const other = `route "${second.route.name}"`
  if (first.host !== second.host) {
    return `the host "${first.host}" is more specific than ${second.host ? `"${second.host}"` : 'no host'} of ${other}`
  }
  const index = first.weights.findIndex((weight, at) => weight !== second.weights[at])
  if (first.pattern.kind !== second.pattern.kind) {
    return `the path "${path}" ${kinds[first.pattern.kind]}, that of ${other} ${kinds[second.pattern.kind]}`
  }
  if (shapeOf(first.pattern) !== shapeOf(second.pattern)) {
    return `the path "${path}" is more specific than "${second.route.match.path}" of ${other}`
  }
  return `it ${criteria[index]} than ${other} of the same path`
}

/** Why a Route whose host and path are met did not take the request. Names values of routes.yaml, none of the request. */
export function explainUnmet(requirement: Requirement, facts: Facts): string {
  if (requirement.kind === 'method') return `it takes ${requirement.methods.join(', ')}, not ${facts.asked.method}`
  const { kind, name, value } = requirement
  const noun = kind === 'query' ? 'query key' : kind
  return value === '*' ? `it asks for the ${noun} "${name}"` : `it asks for the ${noun} "${name}" to be "${value}"`
}
