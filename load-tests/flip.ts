// Moves the route: edits the gateway's file and waits until the gateway shows that it serves exactly that.
// The danger it guards against: a flip that is taken for done because the file was written.
import type { Ticker } from './arrivals.ts'
import type { Operators, Status } from './operators.ts'
import { hashOf, readRoutes, replaceRoutes, withStage } from './routes-file.ts'

export interface FlipPlan {
  readonly configFile: string
  readonly route: string
  readonly stage: string
  readonly operators: Operators
  readonly ticker: Ticker
}

export interface Shown {
  readonly stage: string
  /** Monotonic milliseconds, just before the file was replaced. */
  readonly editedAt: number
  /** Just after the gateway said so. */
  readonly shownAt: number
  readonly revision: number
  readonly hash: string
}

const shownWithinMs = 15_000
const askEveryMs = 20

/** @throws Error when the gateway refuses the file or does not show it in time. */
export async function flip({ configFile, route, stage, operators, ticker }: FlipPlan): Promise<Shown> {
  const text = withStage(await readRoutes(configFile), route, stage)
  const hash = hashOf(text)
  const editedAt = ticker.now()
  await replaceRoutes(configFile, text)
  for (;;) {
    const status = await operators.status()
    const shownAt = ticker.now()
    if (isShown(status, { hash, route, stage })) return { stage, editedAt, shownAt, revision: status.revision, hash }
    if (shownAt - editedAt > shownWithinMs) {
      throw new Error(
        `the gateway did not show ${route} at ${stage} within ${shownWithinMs} ms: ${status.refused ?? 'no word'}`,
      )
    }
    await new Promise<void>((resolve) => ticker.after(askEveryMs, resolve))
  }
}

function isShown(status: Status, wanted: { hash: string; route: string; stage: string }): boolean {
  return status.hash === wanted.hash && status.stages.get(wanted.route) === wanted.stage
}
