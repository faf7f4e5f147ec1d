// Room for signature checks: they run on the few threads of the process that its files and names are looked up by too.
// The danger it guards against: a flood of tokens that are new, and nothing else of the gateway that gets on.

/** Half of the threads that Node has by default. */
const mostAtOnce = 2
/** A fifth of a second's worth at the slowest algorithm. */
const mostWaiting = 512

export interface CheckRoom {
  /** @returns undefined when too many wait already */
  run<T>(check: () => Promise<T>): Promise<T> | undefined
}

export function createCheckRoom(): CheckRoom {
  const waiting: (() => void)[] = []
  let running = 0

  async function runIn<T>(check: () => Promise<T>): Promise<T> {
    if (running >= mostAtOnce) await new Promise<void>((enter) => waiting.push(enter))
    else running += 1
    try {
      return await check()
    } finally {
      // Whoever waits takes the place as it is.
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }

  return {
    run: (check) => (running >= mostAtOnce && waiting.length >= mostWaiting ? undefined : runIn(check)),
  }
}
