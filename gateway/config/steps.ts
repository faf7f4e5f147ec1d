// Long work in steps, so that whoever has time to lose does it at once and whoever serves requests between them.
// The danger it guards against: every request under way waits while a routes.yaml of a thousand routes is read.
import { setImmediate as others } from 'node:timers/promises'

/** Yields where something else may go first. */
export type Steps<T> = Generator<void, T, void>

export function atOnce<T>(steps: Steps<T>): T {
  let step = steps.next()
  while (!step.done) step = steps.next()
  return step.value
}

/** Lets whatever has come meanwhile go first after each step. */
export async function inTurns<T>(steps: Steps<T>): Promise<T> {
  let step = steps.next()
  while (!step.done) {
    await others()
    step = steps.next()
  }
  return step.value
}
