// Something done while requests come in by the clock, with a line of progress each second.
// The danger it guards against: a deed that is over before the traffic is, or the other way round, and nobody waits for both.
import { randomFrom } from '../services/kit/prng.ts'
import { type Pace, poissonTimes, type Ticker } from './arrivals.ts'
import type { Client } from './client.ts'
import { spreadOf } from './percentiles.ts'
import { countBy } from './phases.ts'
import type { RequestMix } from './requests.ts'
import { startTraffic, type Traffic } from './traffic.ts'

export interface Going extends Pace {
  readonly seed: number
  readonly ticker: Ticker
  readonly client: Client
  readonly mix: RequestMix
  readonly idPrefix: string
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

export interface Meanwhile<T> {
  /** For the line of progress. */
  stageNow(): string
  /** @param startAt when the traffic began */
  act(startAt: number, traffic: Traffic): Promise<T>
}

export interface Gone<T> {
  readonly startAt: number
  readonly traffic: Traffic
  readonly result: T
}

/** Requests under way at which the client gives up keeping pace. */
const maxInFlight = 2000
const progressEveryMs = 1000
/** While waiting, how often to see whether the run is still wanted. */
const lookUpEveryMs = 100

/** Resolves when it is done and every answer is in or given up. */
export async function underTraffic<T>(going: Going, meanwhile: Meanwhile<T>): Promise<Gone<T>> {
  const { ticker, client, mix, idPrefix, say } = going
  const startAt = ticker.now()
  const times = unlessAborted(poissonTimes(going, randomFrom(going.seed)), going.signal)
  const traffic = startTraffic({ times, ticker, client, mix, maxInFlight, idPrefix })
  const tell = () => say(progressLine(traffic, ticker.now() - startAt, meanwhile.stageNow()))
  const progress = setInterval(tell, progressEveryMs)
  try {
    const result = await meanwhile.act(startAt, traffic)
    await traffic.done
    return { startAt, traffic, result }
  } finally {
    clearInterval(progress)
  }
}

/** Resolves then, or when the run is wanted no more. */
export async function until(at: number, { ticker, signal }: Pick<Going, 'ticker' | 'signal'>): Promise<void> {
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
