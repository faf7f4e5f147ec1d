// Rollouts under test: a stateDir of its own, a book as a start of the gateway makes it, and files that it loads.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { createLive } from '../../gateway/config/live.ts'
import { type Loaded, load } from '../../gateway/config/load.ts'
import { hashOf } from '../../gateway/files/content.ts'
import { filters } from '../../gateway/filters.ts'
import type { RolloutDeclaration } from '../../gateway/model.ts'
import { describeStanding } from '../../gateway/rollout/standing.ts'
import type { RolloutBook, RolloutChange } from '../../gateway/state/rolloutBook.ts'
import { createRollouts } from '../../gateway/state/rollouts.ts'
import { services } from '../config/world.ts'

export const noon = Date.UTC(2026, 10, 21, 12)

export async function newStateDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-rollouts-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'var')
}

export interface World {
  readonly book: RolloutBook
  readonly changes: readonly RolloutChange[]
  /** What went wrong with reading and writing. */
  readonly told: readonly string[]
  declare(...rollouts: readonly RolloutDeclaration[]): void
  /** As a reading of that routes.yaml does it. */
  load(yaml: string): Promise<Loaded>
  /** `canary 10%, file` */
  stands(key: string): string
  /** Sets the clock, in milliseconds after noon. */
  wind(ms: number): void
}

/** A start of the gateway. */
export async function start(stateDir: string): Promise<World> {
  const told: string[] = []
  const changes: RolloutChange[] = []
  let at = noon
  const book = createRollouts(
    () => at,
    (thrown) => told.push(String(thrown)),
  )
  book.onChange((change) => changes.push(change))
  onTestFinished(() => book.written())
  await book.open(stateDir)
  const live = createLive((snapshot) => book.declare(snapshot))
  const mirror = { save: () => {}, read: async () => undefined }
  return {
    book,
    changes,
    told,
    declare: (...rollouts) => book.declare({ rollouts: new Map(rollouts.map((rollout) => [rollout.key, rollout])) }),
    load: (yaml) =>
      load(
        { text: yaml, hash: hashOf(yaml) },
        {
          file: join(stateDir, '..', 'routes.yaml'),
          kinds: filters,
          env: {},
          services: { ...services, rollouts: book },
          live,
          mirror,
          rollouts: book,
        },
      ),
    stands(key) {
      const { effective } = book.state(key)
      return `${describeStanding(effective)}, ${effective.why}`
    },
    wind(ms) {
      at = noon + ms
    },
  }
}
