// What is known of each Upstream's health: how the last attempt at it ended, and whether it takes connections now.
// The danger it guards against: a readiness that follows an Upstream, so that a blip of the monolith takes every gateway
// out of the load balancer. Health is told in bodies, never in a status.
import { connect } from 'node:net'
import type { Clock, Outcome, Snapshot, Target, Upstream } from '../model.ts'

const connectWithinMs = 500
const rememberedMs = 2000

export interface UpstreamHealth {
  readonly name: string
  /** By the last attempt that says something of the Upstream; `unknown` before the first. */
  readonly state: 'unknown' | 'ok' | 'failing'
  /** The code (errors.ts) of the last failure. */
  readonly lastFailure?: string
  /** When the state was entered, as ISO 8601. */
  readonly since?: string
  /** Whether one of its targets took a connection within the last two seconds. */
  readonly connects: boolean
}

export interface Health {
  outcome(outcome: Outcome): void
  /** Answers within half a second, whatever the Upstreams do. */
  upstreams(snapshot: Snapshot): Promise<readonly UpstreamHealth[]>
}

interface Seen {
  readonly state: 'ok' | 'failing'
  readonly lastFailure: string | undefined
  readonly sinceMs: number
}

export function createHealth(clock: Clock): Health {
  const seen = new Map<string, Seen>()
  const connects = createConnectCheck(clock)

  async function healthOf({ name, targets }: Upstream): Promise<UpstreamHealth> {
    const last = seen.get(name)
    return {
      name,
      state: last?.state ?? 'unknown',
      ...(last?.lastFailure !== undefined && { lastFailure: last.lastFailure }),
      ...(last && { since: new Date(last.sinceMs).toISOString() }),
      connects: (await Promise.all(targets.map(connects))).includes(true),
    }
  }

  return {
    outcome({ upstream, blame, failure }) {
      if (blame === 'client' || blame === 'gateway') return
      const state = blame === 'upstream' ? 'failing' : 'ok'
      const last = seen.get(upstream)
      if (last?.state === state && (state === 'ok' || last.lastFailure === failure)) return
      const sinceMs = last?.state === state ? last.sinceMs : clock.wall()
      seen.set(upstream, { state, lastFailure: failure ?? last?.lastFailure, sinceMs })
    },
    async upstreams(snapshot) {
      for (const name of seen.keys()) if (!snapshot.upstreams.has(name)) seen.delete(name)
      return Promise.all([...snapshot.upstreams.values()].map(healthOf))
    },
  }
}

/** Whether a Target takes connections; asked at most once in two seconds, however often it is wanted. */
function createConnectCheck(clock: Clock): (target: Target) => Promise<boolean> {
  const asked = new Map<string, { readonly at: number; readonly connects: Promise<boolean> }>()
  return (target) => {
    const now = clock.now()
    for (const [origin, { at }] of asked) if (now - at >= rememberedMs) asked.delete(origin)
    const known = asked.get(target.origin)
    if (known) return known.connects
    const connects = takesConnections(target)
    asked.set(target.origin, { at: now, connects })
    return connects
  }
}

function takesConnections({ host, port }: Target): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host, port })
  // A look-up of the name is not bounded by the socket's own timeout.
  const patience = setTimeout(() => resolve(false), connectWithinMs)
  socket.once('connect', () => resolve(true))
  socket.on('error', () => resolve(false))
  return promise.finally(() => {
    clearTimeout(patience)
    socket.destroy()
  })
}
