// How many requests may be sent again at a time, and after which pause (defaults of Envoy: FIELD.md §3).
// The danger it guards against: an outage that is multiplied: when everything fails, nearly everything is asked once.
import type { Attempts, Retries } from '../model.ts'

const activeShare = 0.2
const atLeast = 3
const stepMs = 25
const mostPauseMs = 250

export interface RetryParts {
  /** Monotonic milliseconds. */
  now(): number
  /** From 0 to below 1. */
  random(): number
  sleep(ms: number): Promise<void>
}

interface Load {
  active: number
  retrying: number
}

/** Kept by the name of the Upstream, as long as something is under way there. */
export function createRetries({ now, random, sleep }: RetryParts): Retries {
  const loads = new Map<string, Load>()

  function loadOf(upstream: string): Load {
    const known = loads.get(upstream)
    if (known) return known
    const made = { active: 0, retrying: 0 }
    loads.set(upstream, made)
    return made
  }

  return {
    enter(upstream): Attempts {
      const load = loadOf(upstream)
      let isRetrying = false
      let hasLeft = false
      load.active += 1
      return {
        again(nth, deadlineAt) {
          const pauseMs = random() * Math.min(mostPauseMs, (2 ** nth - 1) * stepMs)
          if (deadlineAt !== undefined && now() + pauseMs >= deadlineAt) return undefined
          if (!isRetrying && load.retrying >= Math.max(atLeast, load.active * activeShare)) return undefined
          if (!isRetrying) load.retrying += 1
          isRetrying = true
          return sleep(pauseMs)
        },
        leave() {
          if (hasLeft) return
          hasLeft = true
          load.active -= 1
          if (isRetrying) load.retrying -= 1
          if (load.active === 0) loads.delete(upstream)
        },
      }
    },
  }
}
