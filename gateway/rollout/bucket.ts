// Which of 10 000 buckets an identity falls into: the same one for ever, on every replica, without anything being stored.
// The danger it guards against: a client that is moved to the other side by an upgrade. Golden vectors in the tests fix it.
import { createHmac } from 'node:crypto'
import { wholeShare } from './standing.ts'

/**
 * HMAC-SHA-256 (RFC 2104) under the split key of the rollout's key, a NUL and the identity; its first 48 bits modulo 10 000,
 * of which no bucket is likelier than another by more than 4·10⁻¹¹. Keyed, so that nobody can choose a bucket for themselves.
 * @param key the group's or the route's original name. @returns 0–9 999
 */
export function bucketOf(splitKey: string, key: string, identity: string): number {
  const digest = createHmac('sha256', splitKey).update(key).update('\0').update(identity, 'latin1').digest()
  return digest.readUIntBE(0, 6) % wholeShare
}
