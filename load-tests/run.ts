// The run itself: traffic by the clock, and in it the two moves: over after a third of the time, back after two.
// The danger it guards against: a move between two loads instead of under one.
import { randomFrom } from '../services/kit/prng.ts'
import { type Pace, poissonTimes } from './arrivals.ts'
import type { Client } from './client.ts'
import { type FlipPlan, flip, type Shown } from './flip.ts'
import { spreadOf } from './percentiles.ts'
import { countBy } from './phases.ts'
import type { RequestMix } from './requests.ts'
import { startTraffic, type Traffic } from './traffic.ts'

export interface RunPlan extends Omit<FlipPlan, 'stage'>, Pace {
  readonly seed: number
  readonly client: Client
  readonly mix: RequestMix
  readonly idPrefix: string
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

export interface Run {
  readonly startAt: number
  readonly traffic: Traffic
  readonly shown: readonly Shown[]
  /** Why the gateway did not do one of the moves. */
  readonly notMoved?: string
}

/** Requests under way at which the client gives up keeping pace. */
const maxInFlight = 2000
const progressEveryMs = 1000
/** While waiting, how often to see whether the run is still wanted. */
const lookUpEveryMs = 100

/** Resolves when every answer is in or given up. */
export async function runUnderTraffic(plan: RunPlan): Promise<Run> {
  const { ticker, client, mix, idPrefix, say } = plan
  const shown: Shown[] = []
  const startAt = ticker.now()
  const times = unlessAborted(poissonTimes(plan, randomFrom(plan.seed)), plan.signal)
  const traffic = startTraffic({ times, ticker, client, mix, maxInFlight, idPrefix })
  const stageNow = () => shown.at(-1)?.stage ?? 'legacy'
  const progress = setInterval(() => say(progressLine(traffic, ticker.now() - startAt, stageNow())), progressEveryMs)
  try {
    const notMoved = await moveThereAndBack(plan, startAt, shown)
    await traffic.done
    return { startAt, traffic, shown, ...(notMoved !== undefined && { notMoved }) }
  } finally {
    clearInterval(progress)
  }
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

async function until(at: number, { ticker, signal }: Pick<RunPlan, 'ticker' | 'signal'>): Promise<void> {
  while (ticker.now() < at && !signal.aborted) {
    await new Promise<void>((resolve) => ticker.after(Math.min(at - ticker.now(), lookUpEveryMs), resolve))
  }
}

function* unlessAborted(times: Iterable<number>, signal: AbortSignal): Generator<number> {
  for (const time of times) {
    if (signal.aborted) return
    yield time
  }
}

function progressLine({ records, lagsMs, inFlight, unsent }: Traffic, passedMs: number, stage: string): string {
  const { ok = 0 } = countBy(records, ({ outcome }) => outcome)
  const latest = records.slice(-500).map(({ scheduledAt, endedAt }) => endedAt - scheduledAt)
  return [
    `${(passedMs / 1000).toFixed(0).padStart(4)} s`,
    stage.padEnd(6),
    `${lagsMs.length} sent`,
    `${ok} ok`,
    `${records.length - ok} not ok`,
    `${inFlight} in flight`,
    `p99 of the last ${latest.length}: ${spreadOf(latest)?.p99.toFixed(0) ?? '–'} ms`,
    ...(unsent > 0 ? [`${unsent} NOT SENT`] : []),
  ].join('  ')
}
