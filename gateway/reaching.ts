// What stands between a request and its upstream: connections, breakers, retries, and how much each upstream is given.
// The danger it guards against: an upstream in trouble that takes the others with it.
import { setTimeout as sleep } from 'node:timers/promises'
import { createAdaptive } from './forward/adaptive.ts'
import { createForward, type Forward } from './forward/forward.ts'
import { createPools, type Pools } from './forward/pools.ts'
import { createResolver } from './forward/resolve.ts'
import type { Clock, Snapshot, Upstream } from './model.ts'
import type { Moving } from './moving.ts'
import { breakerMetrics } from './ops/breakerMetrics.ts'
import type { Gateway } from './ops/gateway.ts'
import { loadMetrics, pressureMetrics } from './ops/loadMetrics.ts'
import type { Log } from './ops/log.ts'
import { targetMetrics } from './ops/targetMetrics.ts'
import { watchMetrics } from './ops/watchMetrics.ts'
import { type BreakerBook, createBreakers } from './state/breakers.ts'
import { createPressure, type PressureGauge } from './state/pressure.ts'
import { createRetries, type RetryBook } from './state/retryBudget.ts'
import { createSecrets, type SecretBook } from './state/secrets.ts'
import { sharer } from './state/sharing/fleetSize.ts'
import { realSchedule } from './state/streams.ts'
import { createBalancer } from './state/targets/balancer.ts'
import { createTargetWatch, type TargetWatch } from './state/targets/watch.ts'
import { createUpstreamTls, type UpstreamTls } from './state/upstreamTls.ts'

export interface Reaching {
  readonly pools: Pools
  /** Asks one of the targets of its upstream. */
  readonly forward: Forward
  /** Asks the `target` of its upstream, and no other. */
  readonly forwardTo: Forward
  readonly breakers: BreakerBook
  readonly secrets: SecretBook
  readonly retries: RetryBook
  readonly pressure: PressureGauge
  /** The part of a limit of the fleet that is this gateway's. */
  readonly shareOf: (ofFleet: number) => number
  /** What operators see of it. */
  readonly seen: Pick<Gateway, 'breakers' | 'loadOf' | 'balanceOf' | 'watchOf' | 'pressure'>
  /** With the Snapshot that is served from now on, in that moment. */
  follow(snapshot: Snapshot): void
  /** What is wrong, as sentences. */
  hints(): readonly string[]
  close(): Promise<void>
}

export function assembleReaching(clock: Clock, moving: Moving, log: Pick<Log, 'life'>): Reaching {
  const shareOf = sharer(moving.sharing.fleetSize)
  const tls = watchedTls(log)
  const secrets = watchedSecrets(clock, log)
  const pools = createPools({ clock, lookup: createResolver(), contextOf: tls.contextOf, shareOf })
  const breakers = watchedBreakers(clock, moving)
  const pressure = createPressure({ clock, schedule: realSchedule })
  const forwardTo = createForward({ clock, pools })
  const openAt = (upstream: Upstream) => pools.loadOf(upstream, [upstream.target]).open
  const { watch, ...checks } = watchTargets({ clock, shareOf, contextOf: tls.contextOf, life: log.life })
  const watched = { health: watch.health, forward: watch.hear(forwardTo) }
  const balancer = createBalancer({ clock, random: Math.random, openAt, ...watched })
  const adaptive = createAdaptive({ clock, forward: balancer.forward, limitOf: watch.limitOf })
  return {
    pools,
    forward: adaptive.forward,
    forwardTo,
    breakers,
    retries: createRetries({ now: clock.now, random: Math.random, sleep }),
    pressure,
    shareOf,
    seen: {
      breakers: () => breakers.views(),
      loadOf(upstream) {
        const load = pools.loadOf(upstream)
        return { ...load, waiting: load.waiting + adaptive.waitingOf(upstream) }
      },
      balanceOf: balancer.viewOf,
      watchOf: watch.viewOf,
      pressure: pressure.view,
    },
    follow(snapshot) {
      tls.follow(snapshot)
      secrets.follow(snapshot)
      breakers.follow(snapshot)
      balancer.follow(snapshot)
      checks.follow(snapshot)
    },
    secrets,
    hints: () => [...tls.hints(), ...secrets.hints()],
    async close() {
      checks.close()
      pools.destroy()
      await tls.close()
      await secrets.close()
    },
  }
}

export function metricsOfReaching(
  { breakers, loadOf, balanceOf, watchOf, pressure }: Reaching['seen'],
  snapshot: () => Snapshot | undefined,
) {
  const ofUpstreams = [
    ...loadMetrics({ snapshot, loadOf }),
    ...targetMetrics({ snapshot, balanceOf }),
    ...watchMetrics({ snapshot, watchOf }),
  ]
  return [...breakerMetrics({ views: breakers }), ...ofUpstreams, ...pressureMetrics(pressure)]
}

/** The files of upstreams' TLS, of whose change and trouble is told. */
function watchedTls({ life }: Pick<Log, 'life'>): UpstreamTls {
  return createUpstreamTls((files, reason) =>
    reason === undefined
      ? life.info({ ...files }, 'other TLS files are in use for an upstream')
      : life.error({ ...files, reason }, 'TLS files of an upstream cannot be used'),
  )
}

/** What upstreams know the gateway by, of whose change and trouble is told. */
function watchedSecrets(clock: Clock, { life }: Pick<Log, 'life'>): SecretBook {
  return createSecrets({
    clock,
    told: (upstream, reason) =>
      reason === undefined
        ? life.info({ upstream }, 'another secret is in use')
        : life.error({ upstream, reason }, 'the secret cannot be used'),
  })
}

/** The breakers, whose turns are told, and an opening held against the move that leads there. */
function watchedBreakers(clock: Clock, { record, guards, sharing }: Moving): BreakerBook {
  return createBreakers({
    clock,
    random: Math.random,
    votes: sharing.votes,
    turned(turn) {
      record.turned(turn)
      if (turn.to === 'open') guards.breakerOpened(turn.upstream)
    },
  })
}

interface Checks extends Pick<Reaching, 'follow'> {
  readonly watch: TargetWatch
  close(): void
}

interface Watching {
  readonly clock: Clock
  readonly shareOf: Reaching['shareOf']
  readonly contextOf: UpstreamTls['contextOf']
  readonly life: Log['life']
}

/** What watches targets, with connections of its own: checks wait for no request, and no request for them. */
function watchTargets({ clock, shareOf, contextOf, life }: Watching): Checks {
  const pools = createPools({ clock, lookup: createResolver(), contextOf, shareOf: (ofFleet) => ofFleet })
  const watch = createTargetWatch({
    clock,
    random: Math.random,
    shareOf,
    ask: createForward({ clock, pools }),
    schedule(run, afterMs) {
      const timer = setTimeout(run, afterMs).unref()
      return () => clearTimeout(timer)
    },
    turned: ({ upstream, target, to, reason }) =>
      to === 'healthy'
        ? life.info({ upstream, target, reason }, 'target healthy')
        : life.warn({ upstream, target, reason }, `target ${to}`),
  })
  return {
    watch,
    follow(snapshot) {
      watch.follow(snapshot)
      pools.retain([...snapshot.upstreams.values()].filter(({ health }) => health))
    },
    close() {
      watch.close()
      pools.destroy()
    },
  }
}
