// Load at a fixed rate, an open model: requests come by the clock (a Poisson process) whatever became of earlier ones, and
// wait for a free connection if they must. wrk cannot do that, and its Debian package has no successor that can.
// The danger it guards against: coordinated omission. A request's time counts from the moment when it came, so waiting for
// a connection is part of it. That this generator's own clock looks only about once a millisecond, or later on a busy machine,
// is no fault of the proxy and not part of it; how late it was is told beside the figures.
import { poissonTimes, runArrivals, systemTicker } from '../arrivals.ts'
import { spreadOf } from '../percentiles.ts'
import { type Connection, complaintAbout, openConnection } from './client.ts'
import { type Load, type Loaded, summary } from './load.ts'
import { requestOf } from './scenarios.ts'

export interface RateLoad extends Load {
  readonly ratePerSecond: number
  readonly random: () => number
}

export interface RateLoaded extends Loaded {
  /** How late requests came at the 99th percentile; far more than a millisecond: in bursts that nobody planned. */
  readonly lagP99Ms: number
}

/** @throws Error that says what was wrong with an answer */
export async function rateLoop(load: RateLoad): Promise<RateLoaded> {
  const { port, ask, connections, seconds, random, ratePerSecond } = load
  const request = requestOf(ask, port)
  const open = Array.from({ length: connections }, () => openConnection(port))
  const free = [...open]
  const waiting: number[] = []
  const latenciesMs: number[] = []
  const lagsMs: number[] = []
  let complaint: string | undefined
  let busy = 0

  const done = Promise.withResolvers<void>()
  let isLastLaunched = false
  const send = (connection: Connection, cameAt: number) => {
    busy += 1
    connection.ask(request, (answer) => {
      busy -= 1
      complaint ??= complaintAbout(answer, ask)
      latenciesMs.push(performance.now() - cameAt)
      const next = waiting.shift()
      if (next !== undefined) send(connection, next)
      else free.push(connection)
      if (isLastLaunched && busy === 0) done.resolve()
    })
  }
  const startedAt = performance.now()
  await runArrivals(poissonTimes({ ratePerSecond, seconds }, random), systemTicker, (scheduledAt) => {
    const now = performance.now()
    lagsMs.push(now - scheduledAt)
    const connection = free.pop()
    if (connection) send(connection, now)
    else waiting.push(now)
  })
  isLastLaunched = true
  if (busy > 0) await done.promise
  for (const connection of open) connection.close()
  if (complaint !== undefined) throw new Error(complaint)
  const loaded = summary(latenciesMs, (performance.now() - startedAt) / 1000)
  return { ...loaded, lagP99Ms: spreadOf(lagsMs)?.p99 ?? 0 }
}
