// How targets fare, as the balancer is told of it by whoever watches them.
// The danger it guards against: a balancer that judges targets by itself, and sends to one that others know to be down.
import type { Target } from '../../model.ts'

export interface TargetHealth {
  /** Whether requests may go to it. */
  isUp(target: Target): boolean
  /**
   * When it last came back, in monotonic milliseconds (Clock.now): its slow start counts from then.
   * Undefined: it has not been down since it is known, or is now.
   */
  upSince(target: Target): number | undefined
}

/** While nobody watches. */
export const allUp: TargetHealth = { isUp: () => true, upSince: () => undefined }
