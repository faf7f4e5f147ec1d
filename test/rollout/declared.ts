// Rollouts as a file would declare them, for tests of what is made of them.
import type { RolloutDeclaration, Stage } from '../../gateway/model.ts'
import { standingAt } from '../../gateway/rollout/standing.ts'
import { defaults } from './simulate.ts'

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
    guard: defaults,
    takesWrites: false,
    writesSurviveRollback: false,
    compares: true,
    closeStreamsMs: 30_000,
    hash: `${stage} ${shareBasisPoints}`,
    ...parts,
  }
}
