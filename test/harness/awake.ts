// Time as this process lives it, for bounds that must not be passed: what a busy machine takes from it is not counted.
// The danger it guards against: a slow machine that is taken for slow code.

const tickMs = 5
/** The most that a tick counts, however long the process stood still before it. */
const mostMs = 2 * tickMs

let livedMs = 0
let tickedAt = performance.now()
setInterval(() => {
  livedMs = awakeMs()
  tickedAt = performance.now()
}, tickMs).unref()

/** Milliseconds from no time in particular. */
export function awakeMs(): number {
  return livedMs + Math.min(performance.now() - tickedAt, mostMs)
}
