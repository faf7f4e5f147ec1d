// The time that one leg has, from its beginning to the last byte of both answers.
// The danger it guards against: something of a leg that outlives it: whoever waits on its behalf is told that its time is over.

export interface LegTime {
  readonly isOver: boolean
  /** Calls once when the time is over, at once if it is. */
  onOver(listener: () => void): void
  /** It is over now. */
  end(): void
  /** Nothing waits for it any more: nobody is called. */
  stop(): void
}

export function startLegTime(ms: number): LegTime {
  const listeners: (() => void)[] = []
  let isOver = false
  const end = () => {
    clearTimeout(timer)
    isOver = true
    for (const listener of listeners.splice(0)) listener()
  }
  const timer = setTimeout(end, ms)
  timer.unref()
  return {
    get isOver() {
      return isOver
    },
    onOver(listener) {
      if (isOver) listener()
      else listeners.push(listener)
    },
    end,
    stop() {
      clearTimeout(timer)
      listeners.length = 0
    },
  }
}
