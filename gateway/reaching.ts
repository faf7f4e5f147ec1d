// What stands between a request and its upstream: connections, breakers, retries, and how much each upstream is given.
// The danger it guards against: an upstream in trouble that takes the others with it.
import { setTimeout as sleep } from 'node:timers/promises'
import { createForward, type Forward } from './forward/forward.ts'
import { createPools, type Pools } from './forward/pools.ts'
import { createResolver } from './forward/resolve.ts'
import type { Clock, Retries, Snapshot, Upstream } from './model.ts'
import type { Moving } from './moving.ts'
import { breakerMetrics } from './ops/breakerMetrics.ts'
import type { Gateway } from './ops/gateway.ts'
import { loadMetrics, pressureMetrics } from './ops/loadMetrics.ts'
import { targetMetrics } from './ops/targetMetrics.ts'
import { type BreakerBook, createBreakers } from './state/breakers.ts'
import { createPressure, type PressureGauge } from './state/pressure.ts'
import { createRetries } from './state/retryBudget.ts'
import { sharer } from './state/sharing/fleetSize.ts'
import { realSchedule } from './state/streams.ts'
import { createBalancer } from './state/targets/balancer.ts'
import { allUp } from './state/targets/port.ts'

export interface Reaching {
  readonly pools: Pools
  /** Asks one of the targets of its upstream. */
  readonly forward: Forward
  /** Asks the `target` of its upstream, and no other. */
  readonly forwardTo: Forward
  readonly breakers: BreakerBook
  readonly retries: Retries
  readonly pressure: PressureGauge
  /** The part of a limit of the fleet that is this gateway's. */
  readonly shareOf: (ofFleet: number) => number
  /** What operators see of it. */
  readonly seen: Pick<Gateway, 'breakers' | 'loadOf' | 'balanceOf' | 'pressure'>
  /** With the Snapshot that is served from now on, in that moment. */
  follow(snapshot: Snapshot): void
  close(): void
}

export function assembleReaching(clock: Clock, moving: Moving): Reaching {
  const shareOf = sharer(moving.sharing.fleetSize)
  const pools = createPools({ clock, lookup: createResolver(), shareOf })
  const breakers = watchedBreakers(clock, moving)
  const pressure = createPressure({ clock, schedule: realSchedule })
  const forwardTo = createForward({ clock, pools })
  const openAt = (upstream: Upstream) => pools.loadOf(upstream, [upstream.target]).open
  const balancer = createBalancer({ clock, random: Math.random, health: allUp, forward: forwardTo, openAt })
  return {
    pools,
    forward: balancer.forward,
    forwardTo,
    breakers,
    retries: createRetries({ now: clock.now, random: Math.random, sleep }),
    pressure,
    shareOf,
    seen: {
      breakers: () => breakers.views(),
      loadOf: (upstream) => pools.loadOf(upstream),
      balanceOf: balancer.viewOf,
      pressure: pressure.view,
    },
    follow(snapshot) {
      breakers.follow(snapshot)
      balancer.follow(snapshot)
    },
    close: pools.destroy,
  }
}

export function metricsOfReaching(
  { breakers, loadOf, balanceOf, pressure }: Reaching['seen'],
  snapshot: () => Snapshot | undefined,
) {
  const ofUpstreams = [...loadMetrics({ snapshot, loadOf }), ...targetMetrics({ snapshot, balanceOf })]
  return [...breakerMetrics({ views: breakers }), ...ofUpstreams, ...pressureMetrics(pressure)]
}

/** The breakers, whose turns are told, and an opening held against the move that leads there. */
function watchedBreakers(clock: Clock, { record, guards }: Moving): BreakerBook {
  return createBreakers({
    clock,
    random: Math.random,
    turned(turn) {
      record.turned(turn)
      if (turn.to === 'open') guards.breakerOpened(turn.upstream)
    },
  })
}
