// A folder with a routes.yaml, and a reloader that watches it.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createLive } from '../../gateway/config/live.ts'
import type { Loaded } from '../../gateway/config/load.ts'
import { createReloader, type Watching } from '../../gateway/config/reload.ts'
import { Failure } from '../../gateway/errors.ts'
import type { Services } from '../../gateway/model/ports.ts'
import { createMirror } from '../../gateway/state/mirror.ts'
import { createRollouts } from '../../gateway/state/rollouts.ts'
import { kinds } from './kinds.ts'

/** Ports that no test of the loader goes through; the clock stands still. */
export const services: Services = {
  clock: { now: () => 0, wall: () => 1_700_000_000_000 },
  forward: async () => {
    throw new Failure('upstreamRefused', 'nothing is forwarded here')
  },
  reportOutcome: () => {},
  reportStart: () => {},
  reportEnd: () => {},
  internalTokens: { of: async () => '' },
  secrets: { of: () => [], taken() {} },
  writes: { took: () => {}, takenBy: () => undefined, lookUp: () => undefined },
  streams: { hold: ({ answer }) => answer },
  breakers: {
    of: () => ({ acquire: () => undefined, isClosed: () => true, retryInMs: () => 0 }),
  },
  pressure: { lagMs: () => 0, isBehind: () => false, refused: () => {} },
  caches: { answer: (exchange, next) => next(exchange), invalidate: async () => {} },
  credentials: {
    check: () => ({ ok: false, why: 'missing' }),
    isOver: () => false,
    note: () => {},
    hold: (answer) => answer,
  },
  limits: { take: () => ({ result: 'allowed', charges: [], at: 'here' }), settle: () => {} },
  comparisons: { admit: () => undefined, loginDropped: () => {} },
  retries: { enter: () => ({ again: () => undefined, leave: () => {} }) },
  rollouts: createRollouts(
    () => 1_700_000_000_000,
    () => {},
  ),
}

/** A past in which nothing was rolled back. */
export const noRollouts = { open: async () => {}, orphans: () => [] }

/** A sound file that differs from others by this port. */
export function sound(port: number): string {
  return `upstreams: { monolith: { url: "http://127.0.0.1:${port}" } }\nunmatched: monolith\n`
}

export const broken = 'upstreams: {}\n'

export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-config-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** As editors do: written beside, then renamed over it. */
export async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}

export function watchFile(file: string, how: Partial<Watching> = {}) {
  const live = createLive()
  const mirrorFailures: unknown[] = []
  const mirror = createMirror((thrown) => mirrorFailures.push(thrown))
  const told: Loaded[] = []
  let wake = () => {}
  const onReload = (loaded: Loaded) => {
    told.push(loaded)
    wake()
  }
  const reloader = createReloader({
    file,
    kinds,
    env: {},
    services,
    live,
    mirror,
    rollouts: noRollouts,
    onReload,
    ...how,
  })
  onTestFinished(async () => {
    await reloader.close()
    await mirror.idle()
  })
  /** Resolves with the first event, told already or to come, that is as wanted. */
  async function event(isWanted: (loaded: Loaded) => boolean): Promise<Loaded> {
    for (;;) {
      const found = told.find(isWanted)
      if (found) return found
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { reloader, live, mirror, mirrorFailures, told, event, servedPort: () => portOf(live.current) }
}

/** Whether that port is what a reload has put into service. */
export function serves(port: number): (loaded: Loaded) => boolean {
  return (loaded) => loaded.ok && portOf(loaded.snapshot) === port
}

export function isRefused(loaded: Loaded): boolean {
  return !loaded.ok
}

function portOf({ unmatched }: { unmatched: { upstream: { target: { port: number } } } }): number {
  return unmatched.upstream.target.port
}
