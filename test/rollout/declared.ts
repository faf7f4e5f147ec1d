// Rollouts as a file would declare them, for tests of what is made of them.
import type { RolloutDeclaration, Stage } from '../../gateway/model.ts'
import { standingAt } from '../../gateway/rollout/standing.ts'

interface Declared extends Partial<Omit<RolloutDeclaration, 'declared'>> {
  readonly stage?: Stage
  readonly shareBasisPoints?: number
}

export function rolloutOf(
  key: string,
  { stage = 'legacy', shareBasisPoints = 0, ...parts }: Declared = {},
): RolloutDeclaration {
  const { holdbackBasisPoints = 0 } = parts
  return {
    key,
    of: 'route',
    routes: [key],
    declared: standingAt(stage, { shareBasisPoints, holdbackBasisPoints }),
    holdbackBasisPoints,
    guard: {
      moreErrorsThanOld: 0.01,
      slowerThanOld: { times: 1.5, andMs: 50 },
      statusShift: 0.05,
      moreAbandoned: 0.02,
      minRequests: 100,
      windowMs: 30_000,
      failuresInARow: 5,
    },
    takesWrites: false,
    writesSurviveRollback: false,
    compares: true,
    closeStreamsMs: 30_000,
    hash: `${stage} ${shareBasisPoints}`,
    ...parts,
  }
}
