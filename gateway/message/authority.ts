// What a target is called in the Host field (RFC 9110 §7.2).
// The danger it guards against: a name without its port, by which an upstream finds another site than is meant.
import type { Target } from '../model.ts'

export function authorityOf({ origin }: Pick<Target, 'origin'>): string {
  return origin.slice(origin.indexOf('://') + 3)
}
