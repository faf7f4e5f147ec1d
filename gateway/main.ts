// The composition root: environment, first load, listen, watch, drain. Everything is put together here, and nothing but the
// command imports it. The danger it guards against: a gateway that half starts, or that ends before its last answer has.
import { performance } from 'node:perf_hooks'
import type { Environment } from './config/environment.ts'
import { formatProblems } from './config/problems.ts'
import { createReloader, type Reloader } from './config/reload.ts'
import { createJourney } from './door/journey.ts'
import { openDoor } from './door/open.ts'
import { drainDoor } from './drain.ts'
import { filters } from './filters.ts'
import { closeListeners, type Listeners, openListeners, type Places } from './listeners.ts'
import type { Clock, CoreSettings } from './model.ts'
import { gatewayOf } from './operating.ts'
import { createAdmin } from './ops/admin.ts'
import type { ReloadResult } from './ops/gateway.ts'
import { createProbes } from './ops/probes.ts'
import { assemble } from './parts.ts'
import { type Telling, tellFirst, tellNext } from './readings.ts'
import { version } from './version.ts'

export interface GatewayOptions {
  readonly configFile: string
  readonly env: Environment
  /** The file descriptor, or the path of a file in its place, that lines of the log go to. */
  readonly stdout?: number | string
  /** The longest a request's head may take to arrive. */
  readonly headTimeoutMs?: number
  /** The longest a client may take nothing of its answer. */
  readonly stallMs?: number
  /** How long routes.yaml must have stood still to be taken for whole. */
  readonly settleMs?: number
  /** The longest that a request waits for the Redis in which replicas share their cache (default: 100). */
  readonly cacheWithinMs?: number
}

export interface RunningGateway {
  readonly places: Places
  /** Looks at the file now (SIGHUP). */
  reload(): Promise<ReloadResult>
  reopenLog(): void
  /** Answers what has been asked, then closes; cuts what is left at `public.drain`. */
  drain(): Promise<void>
  /** Closes at once. */
  close(): Promise<void>
}

export type Opened =
  | { readonly ok: true; readonly gateway: RunningGateway }
  | { readonly ok: false; readonly reason: string }

const clock: Clock = { now: () => performance.now(), wall: () => Date.now() }

/** Starts everything, or nothing and says why. */
export async function openGateway(options: GatewayOptions): Promise<Opened> {
  const { configFile, env, stdout, headTimeoutMs = 15_000, stallMs = 120_000, settleMs, cacheWithinMs } = options
  const parts = assemble(clock, stdout, cacheWithinMs)
  const { live } = parts
  const telling = { ...parts, configFile }
  let started: CoreSettings | undefined
  const reloader = createReloader({
    file: configFile,
    kinds: filters,
    env,
    services: parts.services,
    live,
    mirror: parts.mirror,
    rollouts: parts.moving.remembered,
    ...(settleMs !== undefined && { settleMs }),
    onReload: (loaded) => tellNext(loaded, telling, started),
  })
  const first = await reloader.start()
  if (first.from === 'nothing') {
    await parts.close()
    return { ok: false, reason: `${formatProblems(configFile, first.problems)}\nnothing to serve` }
  }
  await tellFirst(first, telling)
  started = first.snapshot.settings
  try {
    return { ok: true, gateway: await run({ ...telling, env, headTimeoutMs, stallMs }, reloader) }
  } catch (error) {
    await reloader.close()
    await parts.close()
    return { ok: false, reason: error instanceof Error ? error.message : String(error) }
  }
}

interface Running extends Telling {
  readonly headTimeoutMs: number
  readonly stallMs: number
  readonly env: Environment
}

async function run(parts: Running, reloader: Reloader): Promise<RunningGateway> {
  const { log, live, metrics, health } = parts
  const hints = new Set<string>()
  let isDraining = false
  const untrustedProxy = (peer: string) => {
    const hint = `${peer} sends X-Forwarded-For but is not trusted, so its clients all look like itself; if it is your load balancer, add it to public.trustedProxies`
    hints.add(hint)
    log.life.warn({ peer }, hint)
  }
  const gateway = gatewayOf({ parts, reloader, hints, isDraining: () => isDraining })
  const listeners: Listeners = {
    public: await openDoor(parts.env.BANYAN_DOOR, {
      journey: createJourney({
        live,
        clock,
        published: parts.vouching.published,
        nearMiss: metrics.nearMiss,
        untrustedProxy,
      }),
      clock,
      live,
      certificates: await parts.certificates.open(live.current.settings.public.certificates),
      headTimeoutMs: parts.headTimeoutMs,
      stallMs: parts.stallMs,
      isDraining: () => isDraining,
      refused: metrics.refused,
    }),
    probes: createProbes(gateway, health),
    admin: await createAdmin({ gateway, health, metrics, clock }),
  }
  const places = await openListeners(listeners, live.current.settings)
  log.life.info(
    { ...urlsOf(places, live.current.settings.public), version, revision: live.current.revision },
    'listening',
  )
  const end = async () => {
    await closeListeners(listeners)
    await reloader.close()
    log.life.info('stopped')
    await parts.close()
  }
  return {
    places,
    reload: gateway.reload,
    reopenLog: log.reopen,
    close: end,
    async drain() {
      isDraining = true
      const { drainMs } = live.current.settings.public
      log.life.info({ drainMs }, 'draining')
      await drainDoor(listeners.public, drainMs)
      await end()
    },
  }
}

function urlsOf(places: Places, { certificates }: CoreSettings['public']): Record<string, string> {
  const url = ({ address, family, port }: Places['public'], scheme = 'http') =>
    `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`
  const scheme = certificates.length > 0 ? 'https' : 'http'
  return { public: url(places.public, scheme), admin: url(places.admin), probes: url(places.probes) }
}
