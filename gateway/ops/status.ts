// What `GET /status` and `banyan status` say: what serves, what was refused, what was noticed.
// The danger it guards against: a refused file that nobody hears of, while the old routes serve on.

import type { Rollouts } from '../model/ports.ts'
import type { Balance, CircuitState, Problem, Route, RouteMatch, Snapshot, Stage, UpstreamLoad } from '../model.ts'
import type { BreakerView } from '../state/breakers.ts'
import type { FleetView } from '../state/breaking/votes.ts'
import type { LimitCount } from '../state/limits/counts.ts'
import type { PressureView } from '../state/pressure.ts'
import type { SharingView } from '../state/sharing.ts'
import type { Watch } from '../state/targets/watch.ts'
import type { AdminPorts, Gateway } from './gateway.ts'
import type { UpstreamHealth } from './health.ts'
import { type KeyStatus, keyStatus } from './keyStatus.ts'
import { tokenHints } from './operators.ts'
import { type EffectiveView, effectiveView, overrideHints } from './rolloutView.ts'

export interface RouteStatus {
  readonly name: string
  readonly match: RouteMatch
  /** As declared. */
  readonly stage?: Stage
  /** What requests meet in its place, and why. */
  readonly effective?: EffectiveView
  /** The key that its state is kept under: the group's name, or the route's own. */
  readonly rollout?: string
  /** Who answers as declared. */
  readonly upstream: string
  readonly from?: string
  readonly to?: string
  readonly filters: readonly string[]
  readonly requests: number
  /** What its limit said; absent: it has none, or nobody has met it. */
  readonly limit?: LimitCount
}

export interface UpstreamStatus extends UpstreamHealth {
  /** Of the first of its targets. */
  readonly origin: string
  /** Absent: it has but one target. */
  readonly balance?: Balance
  /** Absent: the file asks for nothing of the kind. */
  readonly watch?: Watch
  /** Requests, where the protocol is HTTP/2. */
  readonly connections: UpstreamLoad & { readonly ofFleet: number }
  /** Absent: it has none. */
  readonly breaker?: {
    readonly state: CircuitState
    /** ISO 8601. */
    readonly since: string
    readonly reason?: string
    /** While it is open: until one request is let through; 0 when the next one is. */
    readonly retryInSeconds?: number
    /** How it stands with all replicas; absent while none holds it open. */
    readonly fleet?: FleetView
  }
}

export interface Status {
  readonly version: string
  readonly uptimeSeconds: number
  readonly draining: boolean
  /** How far it is behind, and what was refused for that. */
  readonly pressure: PressureView
  /** The rest of the Snapshot's is absent before the first one. */
  readonly revision?: number
  readonly hash?: string
  readonly loadedAt?: string
  /** What is shared with other replicas, and with whom. */
  readonly sharing: SharingView
  readonly keys: KeyStatus
  /** The declared Routes, and `unmatched` last. */
  readonly routes: readonly RouteStatus[]
  readonly upstreams: readonly UpstreamStatus[]
  readonly warnings: readonly Problem[]
  /** Why the newest file was refused; the revision above serves on. */
  readonly problems: readonly Problem[]
  /** One sentence, when the newest file was refused. */
  readonly refused?: string
  readonly hints: readonly string[]
  /** Requests by the Route that only a looser reading of their path would have met. */
  readonly nearMisses: Readonly<Record<string, number>>
}

export async function statusOf({ gateway, health, metrics, clock }: AdminPorts): Promise<Status> {
  const snapshot = gateway.snapshot()
  const problems = gateway.problems()
  const requests = metrics.requests()
  const { rollouts } = gateway
  const limits = gateway.limits()
  const routeStatus = (route: Route) => {
    const limit = limits.get(route.name)
    return { ...statusOfRoute(route, requests, rollouts), ...(limit && { limit }) }
  }
  return {
    version: gateway.version,
    uptimeSeconds: Math.floor((clock.wall() - gateway.startedAt) / 1000),
    draining: gateway.isDraining(),
    pressure: gateway.pressure(),
    ...(snapshot && {
      revision: snapshot.revision,
      hash: snapshot.hash,
      loadedAt: new Date(snapshot.loadedAt).toISOString(),
    }),
    sharing: await gateway.sharing.view(),
    keys: await keyStatus(gateway),
    routes: snapshot ? [...snapshot.routes, snapshot.unmatched].map(routeStatus) : [],
    upstreams: snapshot ? upstreamsOf(snapshot, await health.upstreams(snapshot), gateway) : [],
    warnings: snapshot?.warnings ?? [],
    problems,
    ...(problems.length > 0 && { refused: refusedSentence(problems, snapshot) }),
    hints: [
      ...overrideHints(rollouts.states()),
      ...tokenHints(snapshot?.settings.admin.tokens ?? [], clock.wall()),
      ...gateway.hints(),
    ],
    nearMisses: metrics.nearMisses(),
  }
}

function statusOfRoute(route: Route, requests: ReadonlyMap<string, number>, rollouts: Rollouts): RouteStatus {
  const { name, match, move, upstream, filters } = route
  return {
    name,
    match,
    ...(move && {
      stage: move.stage,
      effective: effectiveView(rollouts.standing(move.rollout)),
      rollout: move.rollout.key,
      from: move.from.name,
      to: move.to.name,
    }),
    upstream: upstream.name,
    filters,
    requests: requests.get(name) ?? 0,
  }
}

function upstreamsOf(
  { upstreams }: Snapshot,
  healths: readonly UpstreamHealth[],
  gateway: Pick<Gateway, 'breakers' | 'loadOf' | 'balanceOf' | 'watchOf'>,
): Status['upstreams'] {
  const breakers = gateway.breakers()
  return healths.flatMap((health) => {
    const upstream = upstreams.get(health.name)
    if (!upstream) return []
    const breaker = breakers.find(({ upstream }) => upstream === health.name)
    const { origin } = upstream.target
    const connections = { ...gateway.loadOf(upstream), ofFleet: upstream.maxConnections }
    const balance = upstream.targets.length > 1 && { balance: gateway.balanceOf(upstream) }
    const { health: checks, outliers, isAdaptive } = upstream
    const watch = (checks || outliers || isAdaptive) && { watch: gateway.watchOf(upstream) }
    return { ...health, origin, ...balance, ...watch, connections, ...(breaker && { breaker: breakerStatus(breaker) }) }
  })
}

function breakerStatus(view: BreakerView): NonNullable<UpstreamStatus['breaker']> {
  const { state, sinceMs, reason, retryInMs, fleet } = view
  return {
    state,
    since: new Date(sinceMs).toISOString(),
    ...(reason !== undefined && { reason }),
    ...(retryInMs !== undefined && { retryInSeconds: Math.ceil(retryInMs / 1000) }),
    ...(fleet && { fleet }),
  }
}

function refusedSentence(problems: readonly Problem[], snapshot: Snapshot | undefined): string {
  const count = problems.filter(({ severity }) => severity === 'error').length
  const serving = snapshot ? `still serving revision ${snapshot.revision}` : 'nothing serves'
  return `${count} ${count === 1 ? 'problem' : 'problems'}; ${serving}`
}
