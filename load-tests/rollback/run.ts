// The run itself: traffic by the clock, a candidate that begins to fail in it, and an eye on what the gateway makes of that.
// The danger it guards against: a guard that is asked to see a change which it never had the time to see the beginning of.
import type { Ticker } from '../arrivals.ts'
import type { Operators, Standing } from '../operators.ts'
import type { Traffic } from '../traffic.ts'
import { type Going, underTraffic, until } from '../underTraffic.ts'
import { route } from './plan.ts'

export interface RunPlan extends Going {
  readonly operators: Operators
  /** From now on the candidate fails. */
  readonly beginFault: () => void
}

export interface Seen {
  /** Monotonic milliseconds when the candidate was told to fail. */
  readonly beganAt?: number
  /** The newest verdict before that; undefined: none. */
  readonly verdictBefore?: string | undefined
  /** How often the gateway did not say where the route stands. */
  readonly unread: number
}

export interface Run {
  readonly startAt: number
  readonly traffic: Traffic
  readonly seen: Seen
}

const lookEveryMs = 50

/** Resolves when every answer is in or given up. */
export async function runWithFault(plan: RunPlan): Promise<Run> {
  const watch = createWatch(plan)
  const { startAt, traffic, result } = await underTraffic(plan, {
    stageNow: watch.stageNow,
    act: (begunAt, going) => watch.untilDone(begunAt, going),
  })
  return { startAt, traffic, seen: result }
}

function createWatch({ operators, beginFault, say, seconds, ticker, signal }: RunPlan) {
  let standing: Standing | undefined
  let seen: Seen = { unread: 0 }

  async function look(): Promise<void> {
    const before = standing
    try {
      standing = await operators.standing(route)
    } catch {
      seen = { ...seen, unread: seen.unread + 1 }
      return
    }
    const { why, stage, verdict, rollback } = standing
    if (verdict && verdict.result !== before?.verdict?.result)
      say(`the guard says ${[verdict.result, ...verdict.reasons].join(': ')}`)
    if (rollback && !before?.rollback) say(`${route} is ${stage}, why: ${why}, by ${rollback.by}: ${rollback.reason}`)
  }

  /** Once the guard has passed the candidate, not before a third of the time; at half of it in any case. */
  function beginWhenDue(passedMs: number): void {
    if (seen.beganAt !== undefined) return
    const share = passedMs / (seconds * 1000)
    const verdictBefore = standing?.verdict?.result
    if (share < 1 / 3 || (share < 1 / 2 && verdictBefore !== 'pass')) return
    beginFault()
    seen = { ...seen, beganAt: ticker.now(), verdictBefore }
    say(`${route} begins to fail`)
  }

  return {
    stageNow: () => standing?.stage ?? 'unknown',
    async untilDone(startAt: number, traffic: Traffic): Promise<Seen> {
      let isDone = false
      void traffic.done.then(() => {
        isDone = true
      })
      while (!isDone && !signal.aborted) {
        await look()
        beginWhenDue(ticker.now() - startAt)
        await until(ticker.now() + lookEveryMs, { ticker, signal })
      }
      return seen
    },
  }
}

/** Milliseconds since the epoch less the ticker's. */
export function epochOf(ticker: Ticker): number {
  return Date.now() - ticker.now()
}
