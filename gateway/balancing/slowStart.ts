// How much a target that has come, or come back, is given while it is still cold: a tenth at first, then more in a straight line
// (Envoy's slow start, with its defaults).
// The danger it guards against: a service that is given its whole part before it has compiled, connected and filled its caches, and
// goes down again.

const leastWarmth = 0.1

/**
 * @param forMs how long it takes
 * @param ageMs since it came; Infinity: it was always there
 * @returns the share of choices that it takes part in, above 0 up to 1
 */
export function warmthOf(forMs: number, ageMs: number): number {
  return Math.min(1, Math.max(leastWarmth, ageMs / forMs))
}
