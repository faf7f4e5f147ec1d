// The two copies of a request's path: one that Routes are matched against, and a looser one for what a lenient server
// might also take for the same path. Neither is ever sent anywhere.
// The danger it guards against: a path written so that the gateway and the server behind it read it differently.
import type { PathRules } from '../model.ts'

/** RFC 9112 §3.2.2; every scheme, because a server may ignore which one it is. */
const absoluteForm = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i
const dotSegment = /\/\.\.?(?:\/|$)/
const triplet = /%([0-9a-f]{2})?/gi
/** What each byte's triplet becomes in the copy for matching (RFC 3986 §6.2.2.2). */
const strictBytes = listBytes(/[A-Za-z0-9._~-]/)
/** In the loose copy, `?` and `#` stay encoded, so that it still is a path; so do controls and bytes beyond ASCII. */
const looseBytes = listBytes(/[!"$&'->@-~]/)
/** Whatever `loosePath` might change. */
const foldable = /[A-Z;%\\]|[^!-~]|\/[/.]|.\/$/

/**
 * The copy of a path that Routes are matched against: unreserved characters decoded, other triplets in upper case, dot
 * segments removed (RFC 3986 §6.2.2), nothing merged; then folded as `rules` says the monolith folds. Idempotent.
 * @param target as received, in any form; `*` and the authority form have no path and come back as they are
 */
export function normalisePath(target: string, rules: PathRules): string {
  const raw = pathOf(target)
  if (!raw.startsWith('/')) return raw
  let path = decode(raw, strictBytes)
  // Before the dot segments: a server that drops parameters reads `/..;x/` as `/../`.
  if (rules.semicolon === 'same') path = withoutParameters(path)
  path = withoutDotSegments(path)
  if (rules.case === 'insensitive') path = lowerCase(path)
  // Nothing merged: `/a//` is not `/a/` with a trailing slash too many, but another path.
  if (rules.trailingSlash === 'same' && path.endsWith('/') && !path.endsWith('//')) path = withoutTrailingSlash(path)
  return path
}

/**
 * The loosest common reading of a path: every printable character decoded (once: who decodes twice also breaks every
 * name with a `%` in it), backslash and `//` are `/`, no parameters, dot segments, capitals or trailing slash. Idempotent.
 * It starts from the target, since the strict copy has lost what `/a//../b` is to a server that merges slashes first.
 */
export function loosePath(target: string): string {
  const path = pathOf(target.includes('\\') ? target.replaceAll('\\', '/') : target)
  if (!path.startsWith('/') || !foldable.test(path)) return path
  const decoded = decode(path, looseBytes)
    .replace(/[^!-~]/g, encodeByte)
    .replaceAll('\\', '/')
  const merged = withoutParameters(decoded).replace(/\/{2,}/g, '/')
  return lowerCase(withoutTrailingSlash(withoutDotSegments(merged)))
}

/** The query without its `?`, as received; empty when there is none. */
export function queryOf(target: string): string {
  const start = target.search(/[?#]/)
  if (start < 0) return ''
  // A fragment that starts before any `?` ends the target where the query would begin.
  const end = target.indexOf('#', start)
  return end < 0 ? target.slice(start + 1) : target.slice(start + 1, end)
}

/** The authority of an absolute-form target without user information; undefined for the other forms. */
export function authorityOf(target: string): string | undefined {
  if (target.startsWith('/')) return undefined
  const authority = absoluteForm.exec(target)?.[1]
  return authority?.slice(authority.lastIndexOf('@') + 1)
}

/** Up to the query, or up to a fragment: none belongs in a target (RFC 9112 §3.2), but most servers cut it off. */
function pathOf(target: string): string {
  const start = target.startsWith('/') ? 0 : (absoluteForm.exec(target)?.[0].length ?? 0)
  const end = target.search(/[?#]/)
  const path = end < 0 ? target.slice(start) : target.slice(start, end)
  // An absolute URI with an empty path means `/` (RFC 9110 §4.2.3).
  return path === '' && start > 0 ? '/' : path
}

/** A `%` that begins no triplet stands for itself: as `%25`, it can never become part of one. */
function decode(path: string, bytes: readonly string[]): string {
  if (!path.includes('%')) return path
  return path.replace(triplet, (_, hex?: string) => bytes[hex === undefined ? 0x25 : Number.parseInt(hex, 16)] ?? '')
}

/** For each byte the character it stands for, if that is one to decode, else its triplet. */
function listBytes(decoded: RegExp): string[] {
  return Array.from({ length: 256 }, (_, byte) => {
    const character = String.fromCharCode(byte)
    return decoded.test(character) ? character : encodeByte(character)
  })
}

function encodeByte(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

function withoutParameters(path: string): string {
  return path.includes(';') ? path.replace(/;[^/]*/g, '') : path
}

/** RFC 3986 §5.2.4, with a stack. */
function withoutDotSegments(path: string): string {
  if (!path.includes('/.') || !dotSegment.test(path)) return path
  const kept: string[] = []
  const segments = path.split('/').slice(1)
  for (const segment of segments) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
  }
  const last = segments.at(-1)
  if (last === '.' || last === '..') kept.push('')
  return `/${kept.join('/')}`
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** ASCII only: what lies beyond are bytes of some encoding, not letters. */
function lowerCase(path: string): string {
  return /[A-Z]/.test(path) ? path.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : path
}
