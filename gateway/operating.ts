// What operators see of the running gateway and may have it do: what the admin listener is given.
// The danger it guards against: an admin page that reaches past it into the parts.
import { documentSteps } from './config/document.ts'
import type { Environment } from './config/environment.ts'
import { createFindings } from './config/problems.ts'
import { readingSteps } from './config/read.ts'
import type { Reloader } from './config/reload.ts'
import { inTurns } from './config/steps.ts'
import { hashOf } from './files/content.ts'
import { filters } from './filters.ts'
import type { Gateway, Read } from './ops/gateway.ts'
import type { Parts } from './parts.ts'
import type { Telling } from './readings.ts'
import { version } from './version.ts'

interface Served extends Telling {
  readonly env: Environment
}

interface Told {
  readonly parts: Served
  readonly reloader: Reloader
  readonly hints: ReadonlySet<string>
  isDraining(): boolean
}

export function gatewayOf({ parts, reloader, hints, isDraining }: Told): Gateway {
  const { live, moving, emergency } = parts
  const { rollouts, sharing, traffic, evidence, record } = moving
  return {
    version,
    startedAt: parts.clock.wall(),
    rollouts,
    traffic,
    evidence,
    snapshot: () => live.snapshot,
    servedText: () => servedText(parts),
    read: (text) => readAside(text, parts),
    history: record.history,
    comparisonsOf: parts.comparisons.view,
    record,
    sharing,
    keys: parts.identifying.desk,
    published: parts.vouching.published,
    problems: () => live.problems,
    caches: parts.stocking.caches,
    hints: () => [
      ...emergency.hints(),
      ...sharing.hints(),
      ...parts.stocking.hints(),
      ...parts.certificates.hints(),
      ...parts.reaching.hints(),
      ...parts.identifying.hints(),
      ...hints,
    ],
    ...parts.reaching.seen,
    limits: parts.identifying.limitCounts,
    isDraining,
    async reload() {
      const loaded = await reloader.reload()
      const problems = loaded.ok ? loaded.warnings : loaded.problems
      return { accepted: loaded.ok, revision: live.snapshot?.revision, problems }
    },
  }
}

/** As it was mirrored, if what is mirrored is what is served. */
async function servedText({ live, mirror }: Parts): Promise<string | undefined> {
  const { hash, settings } = live.current
  await mirror.idle()
  const text = await mirror.read(settings.stateDir).catch(() => undefined)
  return text !== undefined && hashOf(text) === hash ? text : undefined
}

/** In turns with the requests that are served meanwhile. */
async function readAside(text: string, { configFile, env }: Served): Promise<Read> {
  const reading = await inTurns(readingSteps({ file: configFile, text }, filters, env))
  const written = await inTurns(documentSteps(text, env, createFindings()))
  return { ...reading, value: written?.value }
}
