// Whether a target is well, by its checks: it is taken for so until several in a row have failed.
// The danger it guards against: a target that comes and goes with each single answer.
import type { HealthSettings } from '../model.ts'

export interface Wellness {
  readonly isWell: boolean
  /** Checks in a row that say otherwise. */
  readonly against: number
}

/** As long as nobody has said anything: a gateway that starts must not find all its upstreams down. */
export const presumed: Wellness = { isWell: true, against: 0 }

export function afterCheck(
  { isWell, against }: Wellness,
  isGood: boolean,
  { unhealthy, healthy }: Pick<HealthSettings, 'unhealthy' | 'healthy'>,
): Wellness {
  if (isGood === isWell) return { isWell, against: 0 }
  const enough = isWell ? unhealthy : healthy
  return against + 1 >= enough ? { isWell: !isWell, against: 0 } : { isWell, against: against + 1 }
}

/** RFC 9110 §15: it has done what was asked, or says where that is done. */
export function isGoodStatus(status: number): boolean {
  return status >= 200 && status < 400
}
