// Where in routes.yaml a move is written: the `move` of a route, or a group.
// The danger it guards against: the stage of another move is edited, because of a name, an alias or a merge key.
import { isAlias, isMap, isNode, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml'
import { Refusal, type Sheet } from './editSheet.ts'
import { suggest } from './nearest.ts'
import { below, isMapping, valueAt } from './pointer.ts'

export interface Place {
  /** The steps down to the mapping that holds `stage` and `share`. */
  readonly steps: readonly (string | number)[]
  /** The same as a JSON pointer. */
  readonly pointer: string
  /** `route "search"` */
  readonly who: string
}

/** @param value the file unfolded. @throws Refusal */
export function findPlace(value: unknown, rollout: string): Place {
  const routes = namedRoutes(value, rollout)
  const alone = routes.filter(({ group }) => group === undefined)
  const groupName = groupCalled(value, rollout)
  const isGroup = groupName !== undefined
  const [route] = alone.length > 0 || isGroup ? alone : routes
  if (alone.length + (isGroup ? 1 : 0) > 1) {
    throw new Refusal(`more than one move is called "${rollout}"`, 'give each a name of its own')
  }
  if (isGroup) return placeOf(['groups', groupName], `group "${groupName}"`)
  if (!route) throw new Refusal(`no route and no group is called "${rollout}"`, remedyFor(value, rollout))
  const { i, group, hasMove, name } = route
  if (group !== undefined) {
    throw new Refusal(`route "${name}" has no stage of its own`, `name its group "${group}", with which it moves`)
  }
  if (!hasMove) throw new Refusal(`route "${name}" does not move`, 'give it a "move" first')
  return placeOf(['routes', i, 'move'], `route "${name}"`)
}

function placeOf(steps: readonly (string | number)[], who: string): Place {
  return { steps, pointer: below('', ...steps), who }
}

interface NamedRoute {
  readonly i: number
  readonly name: string
  readonly was: string | undefined
  readonly group: string | undefined
  readonly hasMove: boolean
}

/** By what they were, which is what their rollouts are kept under; else by what they are. */
function namedRoutes(value: unknown, rollout: string): NamedRoute[] {
  const routes = allRoutes(value)
  const kept = routes.filter(({ name, was }) => (was ?? name) === rollout)
  return kept.length > 0 ? kept : routes.filter(({ name }) => name === rollout)
}

function allRoutes(value: unknown): NamedRoute[] {
  const routes = valueAt(value, '/routes')
  const textAt = (route: unknown, key: string) => {
    const text = valueAt(route, below('', key))
    return typeof text === 'string' ? text : undefined
  }
  return (Array.isArray(routes) ? routes : []).map((route, i) => ({
    i,
    name: textAt(route, 'name') ?? '',
    was: textAt(route, 'was'),
    group: textAt(route, 'group'),
    hasMove: valueAt(route, '/move') !== undefined,
  }))
}

function groupNames(value: unknown): string[] {
  const groups = valueAt(value, '/groups')
  return isMapping(groups) ? Object.keys(groups) : []
}

/** By what it was, or else by what it is. */
function groupCalled(value: unknown, rollout: string): string | undefined {
  const names = groupNames(value)
  const wasOf = (name: string) => valueAt(value, below('/groups', name, 'was'))
  return names.find((name) => wasOf(name) === rollout) ?? names.find((name) => name === rollout)
}

function remedyFor(value: unknown, rollout: string): string {
  const known = [...allRoutes(value).map(({ name }) => name), ...groupNames(value)]
  return suggest(rollout, known).replace('; ', '') || 'name one that the file has'
}

/** The mapping at that place, if nothing else shares it on the way. @throws Refusal */
export function mappingAt(sheet: Sheet, { steps, who }: Way): YAMLMap {
  const node = nodeAt(sheet, { steps, who })
  if (isMap(node)) return node
  throw new Refusal(isAlias(node) ? throughAlias(who, node.source) : `${who} has no mapping for its stage`)
}

/** An anchor through which an edit of that place may reach another one. */
export function anchorOn(sheet: Sheet, { steps, who }: Way): string | undefined {
  const mapping = mappingAt(sheet, { steps, who })
  const nodes = [
    ...steps.map((_, depth) => nodeAt(sheet, { steps: steps.slice(0, depth), who })),
    mapping,
    ...['stage', 'share'].map((key) => ownPair(sheet, mapping, key)?.value),
  ]
  return nodes.flatMap((node) => (isNode(node) && !isAlias(node) && node.anchor) || []).at(-1)
}

type Way = Pick<Place, 'steps' | 'who'>

function nodeAt(sheet: Sheet, { steps, who }: Way): unknown {
  return steps.reduce<unknown>((around, step) => stepInto(sheet, around, { step, who }), sheet.root)
}

function stepInto(sheet: Sheet, node: unknown, { step, who }: { step: string | number; who: string }): unknown {
  if (isAlias(node)) throw new Refusal(throughAlias(who, node.source))
  if (isSeq(node)) return node.items[Number(step)]
  const pair = isMap(node) ? ownPair(sheet, node, String(step)) : undefined
  if (pair) return pair.value
  throw new Refusal(`${who} gets its "${step}" through a merge key "<<"`)
}

function throughAlias(who: string, source: string): string {
  return `${who} stands in the alias "*${source}", which is shared with another place`
}

/** The pair of that key in the mapping itself. @throws Refusal when there are two */
export function ownPair({ lineOf }: Sheet, mapping: YAMLMap, key: string): Pair | undefined {
  const [pair, twin] = mapping.items.filter((item) => nameOf(item) === key)
  if (!twin) return pair
  const line = isScalar(twin.key) && twin.key.range ? ` again in line ${lineOf(twin.key.range[0])}` : ' twice'
  throw new Refusal(`the key "${key}" is written${line}`, 'remove one of them first')
}

function nameOf({ key }: Pair): string | undefined {
  if (!isScalar(key)) return undefined
  return typeof key.value === 'string' ? key.value : key.source
}
