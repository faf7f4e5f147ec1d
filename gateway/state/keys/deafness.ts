// What operators are told of a gateway that hears nothing of revocations.
// The danger it guards against: keys that are refused all at once, and nobody was told that it was to come.
import type { KeySettings } from '../../model.ts'

/** A store that is away for less is nothing to be told of. */
const toldFromMs = 10_000

/** @returns a sentence; undefined while there is nothing to tell */
export function deafness(silentMs: number, { staleAfterMs }: KeySettings): string | undefined {
  if (silentMs < toldFromMs) return undefined
  const since = `nothing was heard of revocations elsewhere for ${seconds(silentMs)}`
  if (staleAfterMs === undefined) return `${since}: what others revoke goes on here (keys.staleAfter is never)`
  return silentMs > staleAfterMs
    ? `${since}, more than keys.staleAfter (${seconds(staleAfterMs)}): keys are answered with 503 until the store can be read`
    : `${since}: from ${seconds(staleAfterMs)} on (keys.staleAfter) keys are answered with 503`
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
