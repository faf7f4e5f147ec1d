// How many requests may be sent again at a time, and after which pause (defaults of Envoy: FIELD.md §3).
// The danger it guards against: an outage that is multiplied: when everything fails, nearly everything is asked once.
import type { Attempts, Exchange, Outcome, Retries, Role } from '../model.ts'

const activeShare = 0.2
const atLeast = 3
const stepMs = 25
const mostPauseMs = 250

/** The budget of each Upstream, which hears of all that is under way there, by whichever Route. */
export interface RetryBook extends Retries {
  /** An attempt has begun; each is followed by exactly one `ended`. */
  sent(exchange: Pick<Exchange, 'upstream' | 'role'>): void
  ended(outcome: Pick<Outcome, 'upstream' | 'role'>): void
}

export interface RetryParts {
  /** Monotonic milliseconds. */
  now(): number
  /** From 0 to below 1. */
  random(): number
  sleep(ms: number): Promise<void>
}

interface Load {
  /** Attempts that are under way, and pauses before others. */
  active: number
  retrying: number
}

/** Made beside clients' requests: they must make no room for more. */
const legs: ReadonlySet<Role> = new Set(['shadow', 'noise'])

/** Kept by the name of the Upstream, as long as something is under way there. */
export function createRetries({ now, random, sleep }: RetryParts): RetryBook {
  const loads = new Map<string, Load>()

  function loadOf(upstream: string): Load {
    const known = loads.get(upstream)
    if (known) return known
    const made = { active: 0, retrying: 0 }
    loads.set(upstream, made)
    return made
  }

  function count(upstream: string, what: keyof Load, by: 1 | -1): void {
    const load = loadOf(upstream)
    load[what] += by
    if (load.active === 0 && load.retrying === 0) loads.delete(upstream)
  }

  async function pause(upstream: string, ms: number): Promise<void> {
    count(upstream, 'active', 1)
    await sleep(ms)
    count(upstream, 'active', -1)
  }

  return {
    sent({ upstream, role }) {
      if (!legs.has(role)) count(upstream.name, 'active', 1)
    },
    ended({ upstream, role }) {
      if (!legs.has(role)) count(upstream, 'active', -1)
    },
    enter(upstream): Attempts {
      let isRetrying = false
      return {
        again(nth, deadlineAt) {
          const pauseMs = random() * Math.min(mostPauseMs, (2 ** nth - 1) * stepMs)
          if (deadlineAt !== undefined && now() + pauseMs >= deadlineAt) return undefined
          const { active, retrying } = loadOf(upstream)
          // The one that has just failed would be under way again.
          if (!isRetrying && retrying >= Math.max(atLeast, (active + 1) * activeShare)) return undefined
          if (!isRetrying) count(upstream, 'retrying', 1)
          isRetrying = true
          return pause(upstream, pauseMs)
        },
        leave() {
          if (isRetrying) count(upstream, 'retrying', -1)
          isRetrying = false
        },
      }
    },
  }
}
