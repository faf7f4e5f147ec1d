// The paths of routes.yaml: `/exact`, `/prefix/*`, and `:name` for one segment; parsed, checked, folded like a request's.
// The danger it guards against: a pattern that no request can ever meet, accepted without a word.
import type { PathRules } from '../model.ts'
import { loosePath, normalisePath } from './path.ts'

export type Segment = { readonly literal: string } | { readonly param: string }

export interface Pattern {
  /** In falling rank: all literal; with a `:param`; ending in `/*` (with or without `:param`). */
  readonly kind: 'exact' | 'params' | 'prefix'
  /** What stands between the slashes, without the `*`: `/` has one, empty; `/*` has none. */
  readonly segments: readonly Segment[]
}

/** Bounds how deep a search for a path can go. */
const maxSegments = 128
const asWritten: PathRules = { case: 'exact', trailingSlash: 'distinct', semicolon: 'distinct' }
/** What clients encode before they send it (the WHATWG path percent-encode set), and the backslash, which they turn. */
const neverSent = /[^!-~]|["<>\\`{}]/gu

/** @returns the pattern, or the problem as a sentence that says the remedy. */
export function parsePattern(path: string): Pattern | { readonly problem: string } {
  const problem = problemOfText(path) ?? problemOfSegments(path)
  return problem === undefined ? patternOf(segmentsOf(path), path.endsWith('/*')) : { problem }
}

/** The pattern for paths that `normalisePath` has folded by the same rules. */
export function foldPattern(pattern: Pattern, rules: PathRules): Pattern {
  const segments = pattern.segments.map((segment) =>
    'param' in segment ? segment : { literal: normalisePath(`/${segment.literal}`, rules).slice(1) },
  )
  const isPrefix = pattern.kind === 'prefix'
  const mayDropLast = rules.trailingSlash === 'same' && !isPrefix && segments.length > 1
  if (mayDropLast && isEmpty(segments.at(-1)) && !isEmpty(segments.at(-2))) segments.pop()
  return patternOf(segments, isPrefix)
}

/** The pattern for paths that `loosePath` has folded; the same object when there is nothing to loosen. */
export function loosenPattern(pattern: Pattern): Pattern {
  if (!pattern.segments.some(isLoosened)) return pattern
  const isPrefix = pattern.kind === 'prefix'
  const segments = pattern.segments.flatMap((segment) =>
    'param' in segment ? segment : looseSegments(segment.literal),
  )
  const loosened = patternOf(segments.length > 0 || isPrefix ? segments : [{ literal: '' }], isPrefix)
  return shapeOf(loosened) === shapeOf(pattern) ? pattern : loosened
}

/** The same text for patterns that meet the same paths, whatever their params are called. An exact one is its own path. */
export function shapeOf(pattern: Pattern): string {
  const texts = pattern.segments.map((segment) => ('param' in segment ? ':' : segment.literal))
  return `/${(pattern.kind === 'prefix' ? [...texts, '*'] : texts).join('/')}`
}

/** A path that the pattern meets. */
export function exampleOf({ segments }: Pattern): string {
  return `/${segments.map((segment) => ('param' in segment ? '1' : segment.literal)).join('/')}`
}

function patternOf(segments: readonly Segment[], isPrefix: boolean): Pattern {
  if (isPrefix) return { kind: 'prefix', segments }
  return { kind: segments.some((segment) => 'param' in segment) ? 'params' : 'exact', segments }
}

function segmentsOf(path: string): Segment[] {
  const texts = path.slice(1).split('/')
  if (texts.at(-1) === '*') texts.pop()
  return texts.map((text) => (text.startsWith(':') ? { param: text.slice(1) } : { literal: text }))
}

function isLoosened(segment: Segment): boolean {
  return (
    'literal' in segment && (segment.literal === '' || loosePath(`/${segment.literal}`).slice(1) !== segment.literal)
  )
}

function looseSegments(literal: string): Segment[] {
  const texts = loosePath(`/${literal}`).slice(1).split('/')
  return texts.filter((text) => text !== '').map((text) => ({ literal: text }))
}

function isEmpty(segment: Segment | undefined): boolean {
  return segment !== undefined && 'literal' in segment && segment.literal === ''
}

function problemOfText(path: string): string | undefined {
  if (!path.startsWith('/')) return `path "${path}" must start with "/"; write "/${path}"`
  const end = path.search(/[?#]/)
  if (end >= 0) {
    const remedy = path[end] === '?' ? ' and put the query under "query"' : ''
    return `path "${path}" must not contain "?" or "#"; write "${path.slice(0, end)}"${remedy}`
  }
  const template = /\/\{(\w+)\}(?=\/|$)/.exec(path)
  if (template)
    return `path "${path}" names a segment with braces; write ":${template[1]}" instead of "{${template[1]}}"`
  const encoded = path.toWellFormed().replace(neverSent, (character) => encodeURIComponent(character))
  if (encoded !== path) return `path "${path}" has characters that requests carry encoded; write "${encoded}"`
  const normal = normalisePath(path, asWritten)
  if (normal !== path) return `path "${path}" would never be met, since requests are normalised; write "${normal}"`
  return undefined
}

function problemOfSegments(path: string): string | undefined {
  const texts = path.slice(1).split('/')
  if (texts.length > maxSegments) {
    return `the path has ${texts.length} segments; write a prefix of at most ${maxSegments} and end it with "/*"`
  }
  const names = new Set<string>()
  for (const [index, text] of texts.entries()) {
    const problem = problemOfSegment(text, index === texts.length - 1, names)
    if (problem !== undefined) return `path "${path}" ${problem}`
  }
  return undefined
}

/** @param names of the params before it; its own is added */
function problemOfSegment(text: string, isLast: boolean, names: Set<string>): string | undefined {
  if (text.includes('*') && !(text === '*' && isLast)) {
    return 'has a "*" that is not its last segment; write ":name" for one segment, or end the path with "/*"'
  }
  if (/^\.\.?;/.test(text)) return `has the dot segment "${text}", which some servers remove; write the path without it`
  if (!text.startsWith(':')) return undefined
  const name = text.slice(1)
  if (name === '') return 'has a ":" without a name; write for example ":id"'
  if (!/^[A-Za-z_]\w*$/.test(name)) return `has the segment "${text}"; name it with letters, digits and "_" only`
  if (names.has(name)) return `has two segments named ":${name}"; give them different names`
  names.add(name)
  return undefined
}
