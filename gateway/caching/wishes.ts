// What a request says of the stored answers that it would take (RFC 9111 §5.2.1).
// The danger it guards against: a wish that cannot be read and is taken for none.
import type { Fields } from '../model.ts'
import { cacheControlOf } from './cacheControl.ts'

export interface Wishes {
  /** §5.2.1.5: nothing of it is stored. */
  readonly noStore: boolean
  /** §5.2.1.4: nothing without asking the origin. */
  readonly noCache: boolean
  readonly onlyIfCached: boolean
  /** The oldest that it takes. */
  readonly maxAgeMs: number | undefined
  /** How much longer it must be fresh. */
  readonly minFreshMs: number
  /** How stale it may be; 0: not at all. */
  readonly maxStaleMs: number
}

const none: Wishes = {
  noStore: false,
  noCache: false,
  onlyIfCached: false,
  maxAgeMs: undefined,
  minFreshMs: 0,
  maxStaleMs: 0,
}

export function wishesOf(fields: Fields): Wishes {
  // Pragma counts where Cache-Control says nothing (§5.4).
  if (!fields.has('cache-control'))
    return /\bno-cache\b/i.test(fields.get('pragma') ?? '') ? { ...none, noCache: true } : none
  const said = cacheControlOf(fields)
  return {
    noStore: said.has('no-store'),
    noCache: said.has('no-cache'),
    onlyIfCached: said.has('only-if-cached'),
    maxAgeMs: said.ms('max-age'),
    // One that cannot be read is not met by anything.
    minFreshMs: said.mostMs('min-fresh') ?? 0,
    maxStaleMs: isBare(fields) ? Number.POSITIVE_INFINITY : (said.ms('max-stale') ?? 0),
  }
}

/** `max-stale` without a value: however stale (§5.2.1.2). */
function isBare(fields: Fields): boolean {
  const bare = fields
    .all('cache-control')
    .join(',')
    .split(',')
    .map((part) => part.trim().toLowerCase())
  return bare.includes('max-stale') && !bare.some((part) => part.startsWith('max-stale='))
}
