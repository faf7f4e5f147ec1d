// What is said and done after each reading of routes.yaml.
// The danger it guards against: a refused file, or a key that takes no effect before a restart, that nobody is told about.
import { isDeepStrictEqual } from 'node:util'
import type { FirstLoad, Loaded } from './config/load.ts'
import { formatProblems } from './config/problems.ts'
import type { CoreSettings, Snapshot } from './model.ts'
import type { Parts } from './parts.ts'

/** The parts, and the file that is read. */
export type Telling = Parts & { readonly configFile: string }

/** After the first one. */
export async function tellFirst(first: Exclude<FirstLoad, { from: 'nothing' }>, parts: Telling): Promise<void> {
  const { stateDir, store } = first.snapshot.settings
  await parts.moving.open(stateDir)
  await parts.identifying.open(stateDir)
  await parts.vouching.open(stateDir)
  await parts.stocking.open(store.cache)
  await parts.emergency.open(stateDir)
  adopt(first.snapshot, parts)
  if (first.from === 'file') return
  parts.metrics.rejected(first.problems.length)
  parts.log.life.error(
    { problems: formatProblems(parts.configFile, first.problems).split('\n') },
    'routes.yaml is broken: serving the last accepted one',
  )
}

/** After each reading of a changed file. @param started the settings that the listeners were opened with */
export function tellNext(loaded: Loaded, parts: Telling, started: CoreSettings | undefined): void {
  const { log, metrics, live, configFile } = parts
  if (loaded.ok) {
    adopt(loaded.snapshot, parts)
    void parts.emergency.look()
    const late = started ? changedPlaces(started, loaded.snapshot.settings) : []
    if (late.length > 0) log.life.warn({ keys: late }, 'these keys take effect at the next start')
    return
  }
  metrics.rejected(loaded.problems.length)
  const problems = formatProblems(configFile, loaded.problems).split('\n')
  const reason = loaded.thrown === undefined ? undefined : String(loaded.thrown)
  log.life.error(
    { problems, revision: live.snapshot?.revision, reason },
    'routes.yaml refused: still serving the revision before',
  )
}

function adopt(snapshot: Snapshot, { log, metrics, reaching, moving, configFile }: Telling): void {
  metrics.accepted(snapshot)
  moving.record.accepted(snapshot)
  log.follow(snapshot)
  reaching.pools.retain(snapshot.upstreams.values())
  const { revision, hash, warnings } = snapshot
  const doubts = warnings.length > 0 ? formatProblems(configFile, warnings).split('\n') : undefined
  log.life.info({ revision, hash, routes: snapshot.routes.length, warnings: doubts }, 'routes.yaml accepted')
}

function changedPlaces(before: CoreSettings, after: CoreSettings): string[] {
  const placeOf = ({ host, port }: { host: string; port: number }) => `${host} ${port}`
  const places = (['public', 'probes', 'admin'] as const).filter((key) => placeOf(before[key]) !== placeOf(after[key]))
  const others = [
    ...(isDeepStrictEqual(before.public.certificates, after.public.certificates) ? [] : ['public.tls']),
    ...(before.stateDir === after.stateDir ? [] : ['stateDir']),
    ...(['state', 'cache'] as const).flatMap((key) => (before.store[key] === after.store[key] ? [] : [`store.${key}`])),
    ...(before.replicas === after.replicas ? [] : ['replicas']),
  ]
  return [...places, ...others]
}
