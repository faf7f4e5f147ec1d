// Which of the gateway's own keys signs, when the next one is made, and when one may be forgotten: pure.
// The danger it guards against: a token whose key nobody has heard of yet, or has forgotten already (RFC 7517 §5: a set of keys is
// fetched now and then, not at each change).

export interface RingKey {
  readonly id: string
  /** Milliseconds since the epoch: from then on it signs, until the next one does. */
  readonly signsFromMs: number
}

export interface RingRules {
  readonly rotateMs: number
  readonly lifeMs: number
}

/** How long a key is published before it signs: services look for new keys about so often. */
const mostAheadMs = 10 * 60_000
/** By which clocks may differ. */
const skewMs = 60_000

function aheadMs({ rotateMs }: RingRules): number {
  return Math.min(mostAheadMs, rotateMs / 2)
}

/** @param keys in the order in which they were made. @returns since when one that is made now is to sign; the first has nobody to wait for */
export function signsFromOf(keys: readonly RingKey[], nowMs: number, rules: RingRules): number {
  return keys.length === 0 ? nowMs : nowMs + aheadMs(rules)
}

/** @param keys in the order in which they were made. @returns undefined when there is none */
export function signerOf<K extends RingKey>(keys: readonly K[], nowMs: number): K | undefined {
  return keys.findLast(({ signsFromMs }) => signsFromMs <= nowMs) ?? keys[0]
}

/** Whether it is time to make the next one, so that it is known when it is to sign. */
export function isNextDue(keys: readonly RingKey[], nowMs: number, rules: RingRules): boolean {
  const newest = keys.at(-1)
  if (!newest) return true
  // It was made while the clock was ahead, and would put off the next one for as long.
  const isFarOff = newest.signsFromMs > nowMs + mostAheadMs + skewMs
  return isFarOff || nowMs >= newest.signsFromMs + rules.rotateMs - aheadMs(rules)
}

/** Those that a token which is still good may be signed by, and those to come. */
export function neededOf<K extends RingKey>(keys: readonly K[], nowMs: number, rules: RingRules): readonly K[] {
  return keys.filter((_, nth) => {
    const next = keys[nth + 1]
    return !next || nowMs < next.signsFromMs + rules.lifeMs + skewMs
  })
}
