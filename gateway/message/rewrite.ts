// What a moved request looks like at its new place, and how the new place's answer is made to look like the old one's.
// The danger it guards against: a Location or a cookie path of the new service that leads a client past the gateway.
import type { Answer, Exchange, Fields, Target } from '../model.ts'
import { fieldsOf, namesOf, sameName, withMore, without } from './fields.ts'

export interface FieldEdits {
  /** Replaces all fields of that name, or adds one. */
  readonly set?: Readonly<Record<string, string>> | undefined
  readonly remove?: readonly string[] | undefined
}

/** Replaces the leading segments of a path that a pattern matches. */
export interface PathRewrite {
  /** How many leading segments the pattern matches; all of them for a pattern without `/*`. */
  readonly segments: number
  /** Index of the segment that `:name` stands for. */
  readonly params: ReadonlyMap<string, number>
  /** What they become, `:name` standing for the client's segment. Without a trailing slash. */
  readonly to: string
  /** The pattern's own leading path when it has no `:name`: only then can an answer's paths be restored. */
  readonly from?: string
}

/** @param pattern a checked route pattern. @returns a sentence when `to` names what the pattern does not. */
export function pathRewriteOf(pattern: string, to: string): PathRewrite | string {
  const literal = pattern.replace(/\/\*$/, '')
  const parts = literal.split('/').slice(1)
  const params = new Map(parts.flatMap((part, i) => (part.startsWith(':') ? [[part.slice(1), i] as const] : [])))
  for (const [, name = ''] of to.matchAll(/\/:([^/]+)/g)) {
    if (!params.has(name)) return `":${name}" is not in the route's path ${pattern}; use one of its names`
  }
  const bare = to.replace(/\/$/, '')
  const restorable = params.size === 0 ? { from: literal } : {}
  return { segments: literal === '' ? 0 : parts.length, params, to: bare, ...restorable }
}

/** The target with its leading segments replaced; what follows them, the query too, stays byte for byte. */
export function rewriteTarget(exchange: Pick<Exchange, 'target' | 'path'>, rewrite: PathRewrite): string {
  const { path, query } = splitTarget(exchange.target)
  const raw = path.split('/').slice(1)
  // With dot segments the raw path's segments are not the matched ones: then the normalised copy is what was meant.
  const segments = raw.some((segment) => dots.test(segment)) ? exchange.path.split('/').slice(1) : raw
  const to = rewrite.to.replace(/\/:([^/]+)/g, (_, name: string) => `/${segments[rewrite.params.get(name) ?? 0] ?? ''}`)
  const rest = segments.slice(rewrite.segments).map((segment) => `/${segment}`)
  return `${to}${rest.join('')}${query}` || '/'
}

/** Also with a parameter behind them, which some servers drop first. */
const dots = /^(?:\.|%2e){1,2}(?:;|$)/i

/** Sets and removes fields. */
export function editFields(fields: Fields, edits: FieldEdits): Fields {
  const set = Object.entries(edits.set ?? {})
  const gone = namesOf([...set.map(([name]) => name), ...(edits.remove ?? [])].map((name) => name.toLowerCase()))
  return withMore(without(fields, gone), set.flat())
}

/** The answer's Location, Content-Location and cookie paths as the public site knows them. */
export function restoreAnswer(
  answer: Answer,
  rewrite: PathRewrite,
  places: { targets: readonly Target[]; publicOrigin: string },
): Answer {
  const { from, to } = rewrite
  if (from === undefined) return answer
  const restorePath = (path: string) => (startsWithPath(path, to) ? `${from}${path.slice(to.length)}` || '/' : path)
  const raw = answer.fields.raw.slice()
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    if (sameName(name, 'location') || sameName(name, 'content-location'))
      raw[i + 1] = restoreUrl(value, restorePath, places)
    else if (sameName(name, 'set-cookie')) raw[i + 1] = restoreCookiePath(value, restorePath)
  }
  return { ...answer, fields: fieldsOf(raw) }
}

function restoreUrl(
  url: string,
  restorePath: (path: string) => string,
  places: { targets: readonly Target[]; publicOrigin: string },
): string {
  if (url.startsWith('/') && !url.startsWith('//')) return restorePath(url)
  for (const origin of [...places.targets.map(({ origin }) => origin), places.publicOrigin]) {
    if (startsWithPath(url, origin)) return `${places.publicOrigin}${restorePath(url.slice(origin.length))}`
  }
  return url
}

function restoreCookiePath(cookie: string, restorePath: (path: string) => string): string {
  return cookie.replace(/(;\s*path=)([^;]*)/i, (_, key: string, path: string) => `${key}${restorePath(path)}`)
}

/** Whether a path or URL is that prefix or continues it at a boundary. */
function startsWithPath(url: string, prefix: string): boolean {
  return (
    url.startsWith(prefix) && (url.length === prefix.length || /[/?#]/.test(url.charAt(prefix.length)) || prefix === '')
  )
}

function splitTarget(target: string): { path: string; query: string } {
  // The absolute form (RFC 9112 §3.2.2) names an authority before the path, and an empty path means `/` (RFC 9110 §4.2.3).
  const origin = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  const end = origin.search(/[?#]/)
  return end < 0 ? { path: origin, query: '' } : { path: origin.slice(0, end), query: origin.slice(end) }
}
