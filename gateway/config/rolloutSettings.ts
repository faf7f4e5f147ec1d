// The keys of a rollout as the gateway uses them: shares in ten-thousandths or as fractions, durations in milliseconds.
// The danger it guards against: a percentage that is read as a fraction.
import type { RolloutDeclaration, Standing } from '../model.ts'
import { standingAt } from '../rollout/standing.ts'
import type { CheckedRollout } from './rolloutSchema.ts'
import { basisPoints, durationMs } from './schema.ts'

export function standingOf({ stage, share, holdback }: CheckedRollout): Standing {
  const shareBasisPoints = basisPoints(share ?? '0%')
  return standingAt(stage, { shareBasisPoints, holdbackBasisPoints: basisPoints(holdback ?? '0%') })
}

export function guardOf({
  window,
  slowerThanOld,
  maxErrorShare,
  maxMismatchShare,
  ...guard
}: CheckedRollout['guard']): RolloutDeclaration['guard'] {
  const share = (text: string) => basisPoints(text) / 10_000
  return {
    moreErrorsThanOld: share(guard.moreErrorsThanOld),
    ...(maxErrorShare !== undefined && { maxErrorShare: share(maxErrorShare) }),
    slowerThanOld: { times: slowerThanOld.times, andMs: durationMs(slowerThanOld.and) },
    statusShift: share(guard.statusShift),
    moreAbandoned: share(guard.moreAbandoned),
    ...(maxMismatchShare !== undefined && { maxMismatchShare: share(maxMismatchShare) }),
    minRequests: guard.minRequests,
    windowMs: durationMs(window),
    failuresInARow: guard.failuresInARow,
  }
}

export function advanceOf(
  { each, hours }: CheckedRollout,
  steps: readonly string[],
): NonNullable<RolloutDeclaration['advance']> {
  return { stepsBasisPoints: steps.map(basisPoints), eachMs: durationMs(each), ...(hours !== undefined && { hours }) }
}
