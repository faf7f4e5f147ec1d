// The run itself: traffic by the clock, and in it the two moves: over after a third of the time, back after two.
// The danger it guards against: a move between two loads instead of under one.
import { type FlipPlan, flip, type Shown } from './flip.ts'
import type { Traffic } from './traffic.ts'
import { type Going, underTraffic, until } from './underTraffic.ts'

export interface RunPlan extends Omit<FlipPlan, 'stage'>, Going {}

export interface Run {
  readonly startAt: number
  readonly traffic: Traffic
  readonly shown: readonly Shown[]
  /** Why the gateway did not do one of the moves. */
  readonly notMoved?: string
}

/** Resolves when every answer is in or given up. */
export async function runUnderTraffic(plan: RunPlan): Promise<Run> {
  const shown: Shown[] = []
  const { startAt, traffic, result } = await underTraffic(plan, {
    stageNow: () => shown.at(-1)?.stage ?? 'legacy',
    act: (begunAt) => moveThereAndBack(plan, begunAt, shown),
  })
  return { startAt, traffic, shown, ...(result !== undefined && { notMoved: result }) }
}

/** @returns why it did not come to an end; what was sent is still to be accounted for */
async function moveThereAndBack(plan: RunPlan, startAt: number, shown: Shown[]): Promise<string | undefined> {
  const thirdMs = (plan.seconds * 1000) / 3
  try {
    for (const [dueMs, stage] of [
      [thirdMs, 'live'],
      [2 * thirdMs, 'legacy'],
    ] as const) {
      await until(startAt + dueMs, plan)
      if (plan.signal.aborted) return 'interrupted'
      const done = await flip({ ...plan, stage })
      shown.push(done)
      const tookMs = (done.shownAt - done.editedAt).toFixed(0)
      plan.say(`${plan.route} is ${stage}: revision ${done.revision}, ${tookMs} ms after the edit`)
    }
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
