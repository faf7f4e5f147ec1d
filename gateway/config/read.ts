// Reads routes.yaml: text -> all its Problems at once, or a Declaration.
// The danger it guards against: a file that is half right and accepted.
import { hashOf } from '../files/content.ts'
import type { FilterKind } from '../filter.ts'
import type { CoreSettings, Problem, RolloutDeclaration } from '../model.ts'
import { findConflicts } from '../routing/conflicts.ts'
import { findPathDoubts } from '../routing/doubts.ts'
import { declareSessionCheck } from './auth.ts'
import { check } from './check.ts'
import type { Declaration, DeclaredRoute } from './declaration.ts'
import { documentSteps, type Written } from './document.ts'
import type { Environment } from './environment.ts'
import { findOpenMethods } from './openMethods.ts'
import { type Page, referredUpstream } from './page.ts'
import { createFindings, type Findings, hasErrors } from './problems.ts'
import { declareRollouts } from './rollouts.ts'
import { declareRoutes, declareUnmatched } from './routes.ts'
import { declareSettings } from './settings.ts'
import { atOnce, type Steps } from './steps.ts'
import { declareUpstreams } from './upstreams.ts'

export interface Source {
  /** Its path: relative paths in it belong to its folder. */
  readonly file: string
  readonly text: string
}

/** A Declaration only when no Problem is an error; warnings ride along with it. */
export interface Reading {
  /** In the order of the file. */
  readonly problems: readonly Problem[]
  readonly declaration?: Declaration
}

/** @param env resolves `${NAME}`; its values are in no Problem */
export function read(source: Source, kinds: readonly FilterKind[], env: Environment): Reading {
  return atOnce(readingSteps(source, kinds, env))
}

export function* readingSteps(source: Source, kinds: readonly FilterKind[], env: Environment): Steps<Reading> {
  const findings = createFindings()
  const written = yield* documentSteps(source.text, env, findings)
  yield
  const declaration = written && (yield* declare({ source, written, findings, kinds, env }))
  const problems = findings.list()
  if (!declaration || hasErrors(problems)) return { problems }
  return { problems, declaration: { ...declaration, warnings: problems } }
}

interface Draft {
  readonly source: Source
  readonly written: Written
  readonly findings: Findings
  readonly kinds: readonly FilterKind[]
  readonly env: Environment
}

function* declare({ source, written, findings, kinds, env }: Draft): Steps<Omit<Declaration, 'warnings'> | undefined> {
  const page: Page = { written, findings, kinds, checked: check(written, kinds, findings) }
  yield
  const own = declareSettings(page, source.file, env)
  const known = declareUpstreams(page, source.file)
  const sessionCheck = declareSessionCheck(page, known)
  const settings = own && { ...own, ...(sessionCheck && { sessionCheck }) }
  const answering = referredUpstream(page, '/unmatched', known)
  const rollouts = declareRollouts(page)
  const routes = declareRoutes(page, { known, unmatched: answering, rollouts })
  yield
  if (settings) compareRoutes(page, routes, settings)
  if (!settings || !answering) return undefined
  const unmatched = declareUnmatched(page, answering, rollouts)
  return { hash: hashOf(source.text), settings, upstreams: known.sound, rollouts: byKey(rollouts), routes, unmatched }
}

function byKey(rollouts: ReadonlyMap<string, RolloutDeclaration>): ReadonlyMap<string, RolloutDeclaration> {
  return new Map([...rollouts.values()].map((rollout) => [rollout.key, rollout]))
}

function compareRoutes({ findings, written }: Page, routes: readonly DeclaredRoute[], { paths }: CoreSettings): void {
  for (const { second, message } of findConflicts(routes, paths)) {
    findings.error(second.position, written.scrub(message))
  }
  const doubt = findPathDoubts(routes, written.has('/paths'))
  const doubts = [...(doubt ? [doubt] : []), ...findOpenMethods(routes, paths)]
  for (const { message, ...position } of doubts) findings.warn(position, written.scrub(message))
}
