// Which requests write, and to what: so that whoever has just written reads what he wrote.
// The danger it guards against: a read that is taken for a write, or the other way round, and goes to the wrong side.
import type { Exchange, WritePattern } from '../model.ts'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** Whether it only reads (RFC 9110 §9.2.1). */
export function isSafe(method: string): boolean {
  return safeMethods.has(method)
}

/** Whether that request writes to what one of these patterns names. */
export function isWriteTo(
  patterns: readonly WritePattern[],
  { method, path }: Pick<Exchange, 'method' | 'path'>,
): boolean {
  if (isSafe(method)) return false
  const segments = path.slice(1).split('/')
  return patterns.some((pattern) => (pattern.method ?? method) === method && isAt(pattern, segments))
}

/** As routing/ matches the paths of Routes. */
function isAt({ segments, isPrefix }: WritePattern, asked: readonly string[]): boolean {
  const isLong = isPrefix ? asked.length >= segments.length : asked.length === segments.length
  return isLong && segments.every((segment, i) => (segment === undefined ? asked[i] !== '' : segment === asked[i]))
}
