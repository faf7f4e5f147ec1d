// The Routes of the file: names unique, upstreams known, who answers as declared, filters configured.
// The danger it guards against: a Route that is taken for another, or moved to where it already is.
import { METHODS } from 'node:http'
import type { Move, RolloutDeclaration, RouteDeclaration, RouteMatch, Upstream } from '../model.ts'
import { rankOf } from '../rollout/standing.ts'
import { parsePattern } from '../routing/pattern.ts'
import { declareAuth } from './auth.ts'
import { configureFilters } from './configure.ts'
import { keepBodyDefault } from './core.ts'
import type { DeclaredRoute } from './declaration.ts'
import type { CheckedMatch } from './matchSchema.ts'
import { suggest } from './nearest.ts'
import { type KnownUpstreams, type Page, referredUpstream, refuse, wordsAt } from './page.ts'
import { below, isMapping, valueAt } from './pointer.ts'
import { sizeBytes } from './schema.ts'

/** The name of the Route that takes what no other one names. */
const unmatchedName = 'unmatched'

/** Whom the routes may belong to, and how far their moves are. */
export interface Owners {
  readonly known: KnownUpstreams
  /** What a move's `from` is unless it says so. */
  readonly unmatched: Upstream | undefined
  /** By pointer of the route. */
  readonly rollouts: ReadonlyMap<string, RolloutDeclaration>
}

export function declareRoutes(page: Page, owners: Owners): DeclaredRoute[] {
  const routes = valueAt(page.written.value, '/routes')
  const names = new Map<string, number>()
  return (Array.isArray(routes) ? routes : []).flatMap((route, i) => {
    const pointer = below('/routes', i)
    checkName(page, pointer, names)
    const declaration = isMapping(route) ? declareRoute(page, pointer, owners) : undefined
    return declaration ? { ...declaration, configured: configureFilters(page, declaration, pointer) } : []
  })
}

export function declareUnmatched(page: Page, upstream: Upstream, rollouts: Owners['rollouts']): DeclaredRoute {
  const position = page.written.positionOf('/unmatched')
  const keepBodyBytes = sizeBytes(keepBodyDefault)
  const all = { name: unmatchedName, match: { path: '/*' }, position, upstream, keepBodyBytes }
  const declaration = { ...all, ...remembering(rollouts) }
  return { ...declaration, configured: configureFilters(page, declaration, undefined) }
}

function declareRoute(page: Page, pointer: string, owners: Owners): RouteDeclaration | undefined {
  const name = page.checked.at<string>(below(pointer, 'name'))
  const match = declareMatch(page, below(pointer, 'match'))
  const owner = declareOwner(page, pointer, owners)
  const keepBody = page.checked.at<string>(below(pointer, 'keepBody'))
  if (name === undefined || !match || !owner || keepBody === undefined) return undefined
  const position = page.written.positionOf(below(pointer, 'name'))
  const auth = declareAuth(page, pointer)
  if (owner.move?.rollout.stickyBy?.by === 'claim' && !auth?.any.includes('jwt'))
    refuse(page, below(pointer, 'move'), needsTokens)
  const own = { ...remembering(owners.rollouts), ...(auth && { auth }) }
  return { name, match, position, ...owner, keepBodyBytes: sizeBytes(keepBody), ...own }
}

const needsTokens =
  'stickyBy goes by a claim, which only a token has that the route has checked; add auth: { any: [jwt] } to the route, or choose a cookie, a field, address or affinity'

/** A write may go through any route. */
function remembering(rollouts: Owners['rollouts']): Pick<RouteDeclaration, 'rememberedBy'> {
  const rememberedBy = [...new Set(rollouts.values())].filter(({ readYourWrites }) => readYourWrites)
  return rememberedBy.length > 0 ? { rememberedBy } : {}
}

/** @param names the lines of the names so far; this one is added */
function checkName(page: Page, route: string, names: Map<string, number>): void {
  const pointer = below(route, 'name')
  const name = page.checked.at<string>(pointer)
  if (name === undefined) return
  const line = names.get(name)
  if (name === unmatchedName)
    refuse(page, pointer, `the name "${unmatchedName}" belongs to whatever no route names; choose another`)
  else if (line !== undefined)
    refuse(page, pointer, `the name ${wordsAt(page, pointer)} is taken by the route in line ${line}; choose another`)
  else names.set(name, page.written.positionOf(pointer).line)
}

type Owner = Pick<RouteDeclaration, 'upstream' | 'move'>

function declareOwner(page: Page, route: string, owners: Owners): Owner | undefined {
  const [upstream, move] = [below(route, 'upstream'), below(route, 'move')]
  const has = (pointer: string) => valueAt(page.written.value, pointer) !== undefined
  if (has(upstream) && has(move)) {
    page.findings.error(page.written.keyPositionOf(move), 'a route has either "upstream" or "move"; remove one of them')
  } else if (!has(upstream) && !has(move) && !page.checked.hasUnknownKey(route)) {
    refuse(
      page,
      below(route, 'name'),
      'the route says nobody who answers; add "upstream" (stays there) or "move" (from one to another)',
    )
  }
  const answering = referredUpstream(page, upstream, owners.known)
  const moving = has(move) ? declareMove(page, route, owners) : undefined
  if (moving) return { upstream: rankOf(moving.stage) < rankOf('live') ? moving.from : moving.to, move: moving }
  return answering && { upstream: answering }
}

function declareMove(page: Page, route: string, { known, unmatched, rollouts }: Owners): Move | undefined {
  const pointer = below(route, 'move')
  const hasFrom = valueAt(page.written.value, below(pointer, 'from')) !== undefined
  const to = referredUpstream(page, below(pointer, 'to'), known)
  const from = hasFrom ? referredUpstream(page, below(pointer, 'from'), known) : unmatched
  const rollout = rollouts.get(route)
  if (!to || !from || !rollout) return undefined
  if (to.name !== from.name) return { from, to, stage: rollout.declared.stage, rollout }
  const why = hasFrom
    ? 'both "from" and "to"'
    : '"to", and "unmatched", from which the move goes unless it has a "from"'
  return refuse(
    page,
    below(pointer, 'to'),
    `${wordsAt(page, below(pointer, 'to'))} is ${why}; a move needs two upstreams`,
  )
}

function declareMatch(page: Page, pointer: string): RouteMatch | undefined {
  const pathAt = below(pointer, 'path')
  const path = page.checked.at<string>(pathAt)
  const pattern = path === undefined ? undefined : parsePattern(path)
  if (pattern && 'problem' in pattern) refuse(page, pathAt, page.written.scrub(pattern.problem))
  const areKnown = checkMethods(page, below(pointer, 'methods'))
  const match = page.checked.at<CheckedMatch>(pointer)
  if (!match || !pattern || 'problem' in pattern || !areKnown) return undefined
  return match.fields ? withLowerCaseFields(page, match, pointer) : match
}

/** A method that Node cannot parse never arrives. */
function checkMethods(page: Page, pointer: string): boolean {
  const methods = page.checked.at<readonly string[]>(pointer) ?? []
  const unknown = methods.flatMap((method, i) => (METHODS.includes(method) ? [] : below(pointer, i)))
  for (const at of unknown) {
    const words = page.written.wordsAt(at) ?? ''
    refuse(page, at, `no request can have the method ${wordsAt(page, at)}${suggest(words, METHODS) || '; remove it'}`)
  }
  return unknown.length === 0
}

function withLowerCaseFields(page: Page, match: CheckedMatch, pointer: string): RouteMatch | undefined {
  const fields: Record<string, string> = Object.create(null)
  for (const [name, value] of Object.entries(match.fields ?? {})) {
    const lower = name.toLowerCase()
    const at = page.written.keyPositionOf(below(pointer, 'fields', name))
    if (Object.hasOwn(fields, lower))
      page.findings.error(at, `the field "${name}" is listed twice, in different case; remove one`)
    fields[lower] = value
  }
  return { ...match, fields }
}
