// The Rollouts of the file: one per group, one per moving route of none, each with what it declares and the hash of its keys.
// The danger it guards against: a stage that two places claim, and a state that is taken over by another move of that name.
import { hashOf } from '../files/content.ts'
import type { RolloutDeclaration, RouteDeclaration } from '../model.ts'
import { isSafe } from '../rollout/writes.ts'
import { suggest } from './nearest.ts'
import { type Page, refuse, wordsAt } from './page.ts'
import { below, isMapping, valueAt } from './pointer.ts'
import { readYourWritesOf } from './readYourWrites.ts'
import { checkRollout } from './rolloutDoubts.ts'
import { type CheckedRollout, rolloutProperties } from './rolloutSchema.ts'
import { advanceOf, guardOf, standingOf } from './rolloutSettings.ts'
import { basisPoints, durationMs } from './schema.ts'
import { stickyByOf, testersOf } from './stickiness.ts'

/** One moving route, as far as its Rollout is concerned. */
export interface Mover {
  /** Of the route. */
  readonly pointer: string
  readonly name: string
  readonly was: string | undefined
  readonly group: string | undefined
}

/** By pointer of the route. A route whose Rollout has a mistake is not in it. */
export function declareRollouts(page: Page): ReadonlyMap<string, RolloutDeclaration> {
  const movers = moversOf(page)
  const ungrouped = movers.filter(({ group }) => group === undefined)
  const found = new Map<string, RolloutDeclaration>()
  const add = (rollout: RolloutDeclaration | undefined, of: readonly Mover[]) => {
    if (rollout) for (const { pointer } of of) found.set(pointer, rollout)
  }
  checkKeys(page, ungrouped)
  for (const mover of ungrouped) {
    const { name, was = name, pointer } = mover
    add(declare(page, { key: was, of: 'route', at: below(pointer, 'move'), movers: [mover] }), [mover])
  }
  for (const name of groupNames(page)) {
    const members = movers.filter(({ group }) => group === name)
    for (const member of members) refuseOwnStage(page, member)
    if (members.length === 0)
      page.findings.warn(
        keyAt(page, below('/groups', name)),
        `no route belongs to the group "${name}"; a route says: group: ${name}`,
      )
    else
      add(
        declare(page, { key: groupKey(page, name), of: 'group', at: below('/groups', name), movers: members }),
        members,
      )
  }
  return found
}

function moversOf(page: Page): Mover[] {
  const routes = valueAt(page.written.value, '/routes')
  return (Array.isArray(routes) ? routes : []).flatMap((route, i) => {
    const pointer = below('/routes', i)
    const name = page.checked.at<string>(below(pointer, 'name'))
    const group = page.checked.at<string>(below(pointer, 'group'))
    if (!isMapping(route) || name === undefined) return []
    if (!isMapping(route.move)) {
      refuseWithoutMove(page, pointer)
      return []
    }
    if (group !== undefined && !groupNames(page).includes(group)) {
      refuse(
        page,
        below(pointer, 'group'),
        `unknown group ${wordsAt(page, below(pointer, 'group'))}${suggest(group, groupNames(page)) || '; groups stand under "groups" at the top of the file'}`,
      )
      return []
    }
    const was = page.checked.at<string>(below(pointer, 'was'))
    if (group !== undefined && was !== undefined)
      refuse(page, below(pointer, 'was'), `the move's state goes by the name of the group "${group}"; remove "was"`)
    return { pointer, name, was, group }
  })
}

function refuseWithoutMove(page: Page, pointer: string): void {
  // It may have one whose name is misspelt.
  if (page.checked.hasUnknownKey(pointer)) return
  const remedy = 'remove the key, or give the route a "move"'
  const refuseKey = (key: string, why: string) =>
    page.written.has(below(pointer, key)) && refuse(page, below(pointer, key), `${why}; ${remedy}`)
  refuseKey('group', 'a route that does not move belongs to no group')
  refuseKey('was', 'a route that does not move has no state that its old name would keep')
}

function groupNames(page: Page): string[] {
  const groups = valueAt(page.written.value, '/groups')
  return isMapping(groups) && !Array.isArray(groups) ? Object.keys(groups) : []
}

/** The state of a move belongs to its key: no two may have the same. */
function checkKeys(page: Page, ungrouped: readonly Mover[]): void {
  const owners = new Map<string, string>()
  const claim = (key: string, owner: string, at: string) => {
    const other = owners.get(key)
    if (other)
      refuse(page, at, `the move's state goes by the name "${key}", which is that of ${other} too; choose another`)
    owners.set(key, owner)
  }
  for (const name of groupNames(page)) claim(groupKey(page, name), `the group "${name}"`, below('/groups', name))
  for (const { pointer, name, was } of ungrouped)
    claim(was ?? name, `the route "${name}"`, below(pointer, was === undefined ? 'name' : 'was'))
}

/** What its state goes by. */
function groupKey(page: Page, name: string): string {
  return page.checked.at<string>(below('/groups', name, 'was')) ?? name
}

function refuseOwnStage(page: Page, { pointer, group }: Mover): void {
  const move = below(pointer, 'move')
  for (const key of Object.keys(rolloutProperties)) {
    if (!page.written.has(below(move, key))) continue
    page.findings.error(
      keyAt(page, below(move, key)),
      `"${key}" belongs to the group "${group}", whose routes move together; write it there`,
    )
  }
}

interface Draft {
  readonly key: string
  readonly of: RolloutDeclaration['of']
  /** Of the mapping that has its keys. */
  readonly at: string
  readonly movers: readonly Mover[]
}

function declare(page: Page, { key, of, at, movers }: Draft): RolloutDeclaration | undefined {
  const settings = Object.fromEntries(
    Object.keys(rolloutProperties).map((name) => [name, page.checked.at(below(at, name))]),
  ) as Partial<CheckedRollout>
  if (!isWhole(settings) || hasRefused(page, at)) return undefined
  const stickyBy = stickyByOf(page, at, settings)
  const testers = testersOf(page, at, settings)
  const readYourWrites = readYourWritesOf(page, at, settings)
  const session = page.checked.at<string>('/sessionCookie')
  const rollout: RolloutDeclaration = {
    key,
    of,
    routes: movers.map(({ name }) => name),
    declared: standingOf(settings),
    holdbackBasisPoints: basisPoints(settings.holdback ?? '0%'),
    ...(stickyBy && { stickyBy }),
    ...(testers && { testers }),
    ...(readYourWrites && { readYourWrites }),
    guard: guardOf(settings.guard),
    ...(settings.steps && { advance: advanceOf(settings, settings.steps) }),
    takesWrites: movers.some((mover) => mayWrite(page, mover)),
    writesSurviveRollback: settings.writesSurviveRollback,
    compares: movers.some(({ pointer }) => page.written.has(below(pointer, 'move', 'compare'))),
    ...(!settings.mayLogin && session !== undefined && { loginCookie: session }),
    closeStreamsMs: durationMs(settings.closeStreams),
    hash: hashOfKeys(
      [at, ...movers.map(({ pointer }) => below(pointer, 'move'))].map((own) => valueAt(page.written.value, own)),
    ),
  }
  checkRollout(page, at, rollout)
  return rollout
}

/** Those with defaults, or without which nothing holds. */
function isWhole(settings: Partial<CheckedRollout>): settings is CheckedRollout {
  const { stage, guard, each, closeStreams, mayLogin, writesSurviveRollback } = settings
  return ![stage, guard, each, closeStreams, mayLogin, writesSurviveRollback].includes(undefined)
}

/** Whether the file has one of its keys with a value that is refused. */
function hasRefused(page: Page, at: string): boolean {
  return Object.keys(rolloutProperties).some(
    (key) => page.written.has(below(at, key)) && page.checked.at(below(at, key)) === undefined,
  )
}

function mayWrite(page: Page, { pointer }: Mover): boolean {
  const methods = page.checked.at<RouteDeclaration['match']['methods']>(below(pointer, 'match', 'methods'))
  return methods === undefined || !methods.every(isSafe)
}

/** Secrets are left out: the hash is shown. */
function hashOfKeys(values: readonly unknown[]): string {
  return hashOf(JSON.stringify(values, (key, value) => (key === 'testers' ? undefined : value)))
}

function keyAt(page: Page, pointer: string) {
  return page.written.keyPositionOf(pointer)
}
