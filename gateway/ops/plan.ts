// What an edit of routes.yaml would do, against what is served and asked now. Nothing is served from it.
// The danger it guards against: an edit whose effect is first seen by clients.
import { hasErrors } from '../config/problems.ts'
import type { Problem } from '../model.ts'
import type { Gateway } from './gateway.ts'
import { type Difference, differenceOf } from './planDifference.ts'
import { type MovePlan, moveOf } from './planMoves.ts'

export interface Plan {
  /** Whether a reload would take it. */
  readonly accepted: boolean
  /** What it was compared with. */
  readonly revision?: number
  readonly problems: readonly Problem[]
  /** Absent when stateDir does not have the text that is served. */
  readonly difference?: Difference
  readonly moves: readonly MovePlan[]
  /** Sentences. */
  readonly warnings: readonly string[]
}

export async function planOf(text: string, gateway: Gateway): Promise<Plan> {
  const { declaration, problems, value } = await gateway.read(text)
  const served = await gateway.servedText()
  const before = served === undefined ? undefined : (await gateway.read(served)).value
  const { rollouts } = gateway
  const lost = declaration ? rollouts.orphans(declaration.rollouts) : []
  const states = new Map(rollouts.states().map((state) => [state.rollout.key, state]))
  const keys = new Set([...states.keys(), ...(declaration?.rollouts.keys() ?? [])])
  const moves = declaration
    ? [...keys].flatMap((key) => moveOf(states.get(key), declaration.rollouts.get(key), gateway) ?? [])
    : []
  const revision = gateway.snapshot()?.revision
  return {
    accepted: !hasErrors(problems) && lost.length === 0,
    ...(revision !== undefined && { revision }),
    problems: [...lost.map(aboutTheWhole), ...problems],
    ...(before !== undefined && { difference: differenceOf(before, value) }),
    moves,
    warnings: [
      ...moves.flatMap(({ warnings }) => warnings),
      ...(before === undefined
        ? ['what is served is not in stateDir, so that routes cannot be compared key by key']
        : []),
    ],
  }
}

function aboutTheWhole(message: string): Problem {
  return { severity: 'error', line: 1, column: 1, message }
}
