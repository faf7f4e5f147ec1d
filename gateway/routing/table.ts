// The Routes of one host by path: a Map for exact paths, and two trees of segments for `:param` paths and prefixes.
// The danger it guards against: a search that grows with the number of Routes, or with the length of a hostile path.
import type { Candidate } from './candidate.ts'
import { type Pattern, type Segment, shapeOf } from './pattern.ts'

interface Node<R> {
  readonly literals: Map<string, Node<R>>
  param: Node<R> | undefined
  /** The most specific first. */
  readonly candidates: Candidate<R>[]
}

export interface Table<R> {
  readonly exact: Map<string, Candidate<R>[]>
  readonly params: Node<R>
  readonly prefixes: Node<R>
  /** The most segments that a pattern has. */
  readonly depth: number
}

/** One search. `take` is called with each Candidate whose path is met, the most specific first, until it says true. */
export interface Walk<R> {
  readonly path: string
  readonly take: (candidate: Candidate<R>) => boolean
  /** How many nodes and Candidates were looked at. */
  steps: number
}

/** What stays the same on the way down one tree. */
interface Descent<R> {
  readonly walk: Walk<R>
  /** From index 1; the first is what stands before the leading slash. */
  readonly segments: readonly string[]
  readonly isPrefix: boolean
}

/** @param candidates most specific first among those of the same path. */
export function createTable<R>(candidates: readonly Candidate<R>[]): Table<R> {
  const depth = candidates.reduce((most, { pattern }) => Math.max(most, pattern.segments.length), 0)
  const table: Table<R> = { exact: new Map(), params: createNode(), prefixes: createNode(), depth }
  for (const candidate of candidates) listFor(table, candidate.pattern).push(candidate)
  return table
}

/** Exact before `:param` before prefix (DESIGN §8). @returns whether one was taken. */
export function walkTable<R>(table: Table<R>, walk: Walk<R>): boolean {
  walk.steps++
  // The hash of a path that nothing is looked up by, and segments that are not compared, would be half of an empty table's cost.
  const exact = table.exact.size > 0 ? table.exact.get(walk.path) : undefined
  if (exact !== undefined && isTaken(exact, walk)) return true
  // No node lies below `depth`: the rest of a longer path is not even split. What has no path (`*`) has no segments.
  const segments = table.depth > 0 && walk.path.startsWith('/') ? firstSegments(walk.path, table.depth + 2) : ['']
  return (
    descend(table.params, 1, { walk, segments, isPrefix: false }) ||
    descend(table.prefixes, 1, { walk, segments, isPrefix: true })
  )
}

/** As `path.split('/', most)`, which leaves JavaScript and takes twice as long. */
function firstSegments(path: string, most: number): readonly string[] {
  const segments: string[] = []
  for (let from = 0; segments.length < most; ) {
    const end = path.indexOf('/', from)
    if (end < 0) return [...segments, path.slice(from)]
    segments.push(path.slice(from, end))
    from = end + 1
  }
  return segments
}

/**
 * Literal before `:param`, and a prefix after all longer ones, so that Candidates come in falling rank and a step back
 * finds the next best. It is a tree: each node is met at most once, whatever the path.
 */
function descend<R>(node: Node<R>, at: number, descent: Descent<R>): boolean {
  const { walk, segments, isPrefix } = descent
  walk.steps++
  const segment = segments[at]
  if (segment === undefined) return isTaken(node.candidates, walk)
  const literal = node.literals.get(segment)
  if (literal !== undefined && descend(literal, at + 1, descent)) return true
  if (segment !== '' && node.param !== undefined && descend(node.param, at + 1, descent)) return true
  return isPrefix && isTaken(node.candidates, walk)
}

function isTaken<R>(candidates: readonly Candidate<R>[], walk: Walk<R>): boolean {
  for (const candidate of candidates) {
    walk.steps++
    if (walk.take(candidate)) return true
  }
  return false
}

/** The list of the Candidates whose patterns meet the same paths. */
function listFor<R>(table: Table<R>, pattern: Pattern): Candidate<R>[] {
  if (pattern.kind !== 'exact') {
    return nodeFor(pattern.kind === 'params' ? table.params : table.prefixes, pattern.segments).candidates
  }
  const path = shapeOf(pattern)
  const list = table.exact.get(path) ?? []
  table.exact.set(path, list)
  return list
}

function nodeFor<R>(root: Node<R>, segments: readonly Segment[]): Node<R> {
  let node = root
  for (const segment of segments) node = childFor(node, segment)
  return node
}

function childFor<R>(node: Node<R>, segment: Segment): Node<R> {
  if ('param' in segment) {
    node.param ??= createNode()
    return node.param
  }
  const child = node.literals.get(segment.literal) ?? createNode()
  node.literals.set(segment.literal, child)
  return child
}

function createNode<R>(): Node<R> {
  return { literals: new Map(), param: undefined, candidates: [] }
}
