// The keys of features that are planned and not built, so that a file written for a later version is refused with that
// reason. The danger it guards against: a guard, a limit or an auth that is written down and silently does nothing.
// A feature that is built declares its key, and the declaration wins: then its name is taken off here.

/** Where a key stands, by the mapping that it stands in. */
const reserved: readonly (readonly [pointer: RegExp, keys: readonly string[]])[] = [
  [/^$/, ['auth', 'limits', 'tls', 'log', 'audit']],
  [/^\/public$/, ['maxConnections', 'http2']],
  [/^\/admin$/, ['tls']],
  [/^\/routes\/[0-9]+$/, ['cookies', 'priority', 'breaker']],
]

/** Whether that key of that mapping belongs to a feature to come. @param pointer JSON pointer of the mapping */
export function isReserved(pointer: string, key: string): boolean {
  return reserved.some(([where, keys]) => where.test(pointer) && keys.includes(key))
}

/** @param what as the reader wrote it, e.g. `"cache"` */
export function reservedSentence(what: string, remedy: string): string {
  return `${what} is reserved for a feature that this version does not have yet; ${remedy}`
}
