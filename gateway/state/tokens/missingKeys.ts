// When an issuer is asked for a key that is not there: tokens name it, and anybody can make up tokens.
// The danger it guards against: a flood of made-up key ids, each of which has the issuer asked.
import type { Clock } from '../../model.ts'

/** Between two questions on behalf of tokens. */
const pauseMs = 10_000
/** In which nobody is asked again for a key that was not there. */
const missingMs = 60_000
const mostMissing = 1_000

export interface MissingKeys {
  /** Resolves once the issuer was asked for it; undefined when it has been asked of late. */
  lookFor(id: string | undefined): Promise<void> | undefined
}

/** @param look asks the issuer; never rejects. @param has whether it gives a key of that name now */
export function createMissingKeys(
  { now }: Pick<Clock, 'now'>,
  look: () => Promise<void>,
  has: (id: string) => boolean,
): MissingKeys {
  /** Until when nobody is asked for them, by their names. */
  const missing = new Map<string, number>()
  let askedAtMs = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | undefined

  async function ask(id: string | undefined): Promise<void> {
    await look()
    asking = undefined
    askedAtMs = now()
    if (id === undefined || has(id)) return
    if (missing.size >= mostMissing) missing.clear()
    missing.set(id, now() + missingMs)
  }

  return {
    lookFor(id) {
      if (asking) return asking
      const isEarly = now() - askedAtMs < pauseMs || (id !== undefined && (missing.get(id) ?? 0) > now())
      if (isEarly) return undefined
      asking = ask(id)
      return asking
    },
  }
}
