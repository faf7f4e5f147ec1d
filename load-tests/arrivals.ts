// Arrivals by the clock: an open model. Requests come when they come, whatever became of the earlier ones, as from a
// public that does not wait for itself.
// The danger it guards against: coordinated omission: a generator that waits for a slow answer sends nothing while the
// system is at its worst, and then reports how good it was. So every time is measured from the schedule.

export interface Pace {
  readonly ratePerSecond: number
  readonly seconds: number
}

/** The times of a Poisson process in milliseconds from the start, ascending, all below `seconds`. */
export function* poissonTimes(pace: Pace, random: () => number): Generator<number> {
  const endMs = pace.seconds * 1000
  const meanGapMs = 1000 / pace.ratePerSecond
  // 1 - random() is in (0, 1]: the logarithm is finite.
  for (let at = gap(random, meanGapMs); at < endMs; at += gap(random, meanGapMs)) yield at
}

function gap(random: () => number, meanMs: number): number {
  return -Math.log(1 - random()) * meanMs
}

/** How the generator reads and waits for time: monotonic milliseconds. */
export interface Ticker {
  now(): number
  /** Calls back once, not much later than `delayMs` from now; may be early. */
  after(delayMs: number, callback: () => void): void
}

export const systemTicker: Ticker = {
  now: () => performance.now(),
  after: (delayMs, callback) => {
    // What is overdue by then is called at once; Node would warn of it.
    setTimeout(callback, Math.max(0, delayMs))
  },
}

/**
 * Launches one arrival at each of `times` (milliseconds from now, ascending), and never waits for anything but the clock.
 * An arrival that comes late is launched at once with the time for which it was scheduled; none is skipped.
 * @returns resolves after the last launch.
 */
export function runArrivals(
  times: Iterable<number>,
  ticker: Ticker,
  launch: (scheduledAt: number) => void,
): Promise<void> {
  const startedAt = ticker.now()
  const upcoming = times[Symbol.iterator]()
  return new Promise((resolve, reject) => {
    let next = upcoming.next()
    const tick = () => {
      try {
        while (!next.done && startedAt + next.value <= ticker.now()) {
          launch(startedAt + next.value)
          next = upcoming.next()
        }
      } catch (error) {
        reject(error)
        return
      }
      if (next.done) resolve()
      else ticker.after(startedAt + next.value - ticker.now(), tick)
    }
    tick()
  })
}
