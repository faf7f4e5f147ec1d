// The test's hand on routes.yaml: reads it, changes single keys of it, and replaces it the way editors do.
// The danger it guards against: a gateway that reads half a file: it is written beside the old one and renamed over it.
import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { type Document, isMap, isSeq, parseDocument } from 'yaml'

/** A key's path from the top of the file, and what stands there afterwards. */
export type Change = readonly [path: readonly (string | number)[], value: unknown]

export interface Move {
  /** The name of the Route. */
  readonly route: string
  readonly from: string
  readonly to: string
  readonly stage: string
}

/** @returns the text with those keys changed and every comment kept. */
export function withChanges(text: string, changes: readonly Change[]): string {
  const document = parse(text)
  for (const [path, value] of changes) document.setIn([...path], value)
  return document.toString({ lineWidth: 0 })
}

/** @throws Error when no route of that name moves. */
export function withStage(text: string, route: string, stage: string): string {
  return withChanges(text, [[['routes', routeIndex(parse(text), route), 'move', 'stage'], stage]])
}

/** The path of that route's keys from the top of the file. @throws Error when no route of that name moves. */
export function routeKeys(text: string, route: string): readonly (string | number)[] {
  return ['routes', routeIndex(parse(text), route)]
}

/** @throws Error when no route of that name moves. */
export function readMove(text: string, route: string): Move {
  const document = parse(text)
  const move = ['routes', routeIndex(document, route), 'move']
  return {
    route,
    from: String(document.getIn([...move, 'from']) ?? document.get('unmatched')),
    to: String(document.getIn([...move, 'to'])),
    stage: String(document.getIn([...move, 'stage']) ?? 'legacy'),
  }
}

/** The names of all upstreams, in the file's order. */
export function upstreamNames(text: string): readonly string[] {
  const upstreams = parse(text).get('upstreams')
  return isMap(upstreams) ? upstreams.items.map(({ key }) => String(key)) : []
}

/** The first 12 hexadecimal digits of the SHA-256, as the gateway shows it for a revision. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

export function readRoutes(file: string): Promise<string> {
  return readFile(file, 'utf8')
}

/** Whoever reads the file meanwhile sees all of the old text or all of the new one. */
export async function replaceRoutes(file: string, text: string): Promise<void> {
  const beside = `${file}.${process.pid}.new`
  await writeFile(beside, text)
  await rename(beside, file)
}

function parse(text: string): Document {
  const document = parseDocument(text)
  const mistake = document.errors[0]
  if (mistake) throw new Error(`routes file: ${mistake.message}`)
  return document
}

function routeIndex(document: Document, route: string): number {
  const routes = document.get('routes')
  const index = isSeq(routes) ? routes.items.findIndex((item) => isMap(item) && item.get('name') === route) : -1
  if (index < 0 || !document.hasIn(['routes', index, 'move', 'to'])) {
    throw new Error(`routes file: no route "${route}" with a move`)
  }
  return index
}
