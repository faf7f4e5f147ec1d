// Which side of which move an Outcome speaks of.
// The danger it guards against: a judgement on what clients never got, or one that leaves out what fallback hid from them.
import type { Outcome, RolloutDeclaration, Route, Side, Stage } from '../model.ts'

/** A moving Route, as far as its Outcomes are concerned. */
export interface Mover {
  readonly rollout: RolloutDeclaration
  /** The names of its two upstreams. */
  readonly from: string
  readonly to: string
}

/** By name of the Route. */
export function moversOf(routes: readonly Route[]): ReadonlyMap<string, Mover> {
  return new Map(
    routes.flatMap(({ name, move }) =>
      move ? [[name, { rollout: move.rollout, from: move.from.name, to: move.to.name }] as const] : [],
    ),
  )
}

/** Of both sides only what clients got counts; but in live the old side may be asked by reverse comparisons alone. */
export function sideOf({ role, upstream }: Outcome, { rollout, from, to }: Mover, stage: Stage): Side | undefined {
  if (upstream === to) return role === 'primary' ? 'new' : undefined
  const isReverse = role === 'shadow' && stage === 'live' && rollout.holdbackBasisPoints === 0
  return upstream === from && (role === 'primary' || isReverse) ? 'old' : undefined
}
