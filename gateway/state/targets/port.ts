// How targets fare, as the balancer is told of it by whoever watches them.
// The danger it guards against: a balancer that judges targets by itself, and sends to one that others know to be down.
import type { Target, Upstream } from '../../model.ts'

/** Of each Upstream by itself: what one asks of a target, and what it holds against it, is not another's affair. */
export interface TargetHealth {
  /** Whether requests for that Upstream may go to it. */
  isUp(target: Target, upstream: Pick<Upstream, 'name'>): boolean
  /**
   * When it last came back, in monotonic milliseconds (Clock.now): its slow start counts from then.
   * Undefined: it has not been down since it is known, or is now.
   */
  upSince(target: Target, upstream: Pick<Upstream, 'name'>): number | undefined
}

/** While nobody watches. */
export const allUp: TargetHealth = { isUp: () => true, upSince: () => undefined }
