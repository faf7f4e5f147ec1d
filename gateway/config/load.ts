// From what lies on the disk to what is served: the first load, and every one after it.
// The danger it guards against: a broken file that stops a gateway which could go on with the last good one.
import { type Content, readContent } from '../files/content.ts'
import type { FilterKind } from '../filter.ts'
import type { Services } from '../model/ports.ts'
import type { CoreSettings, Problem, RolloutDeclaration, Snapshot } from '../model.ts'
import { compile } from './compile.ts'
import { readDocument } from './document.ts'
import type { Environment } from './environment.ts'
import type { Live } from './live.ts'
import { valueAt } from './pointer.ts'
import { createFindings } from './problems.ts'
import { readingSteps } from './read.ts'
import { defaultStateDir, stateDirOf } from './settings.ts'
import { inTurns } from './steps.ts'

/** Where accepted files are kept (state/mirror.ts). */
interface Mirror {
  save(stateDir: string, text: string): void
  read(stateDir: string): Promise<string | undefined>
}

/** What is remembered of the rollouts (state/rollouts.ts). */
interface Standings {
  /** Called before each Snapshot is built. */
  open(stateDir: string, settings: CoreSettings): Promise<unknown>
  /** Sentences about rollbacks that a file with these rollouts would lose. */
  orphans(next: ReadonlyMap<string, RolloutDeclaration>): readonly string[]
}

export interface Loading {
  /** The path of routes.yaml. */
  readonly file: string
  readonly kinds: readonly FilterKind[]
  readonly env: Environment
  readonly services: Services
  readonly live: Live
  readonly mirror: Mirror
  readonly rollouts: Standings
}

/** What came of one content of the file. */
export type Loaded =
  /** It is what is served now. The revision is a new one, unless it was served already and a broken one has come between. */
  | { readonly ok: true; readonly snapshot: Snapshot; readonly warnings: readonly Problem[] }
  /** It is not; what was served before is served on. @param thrown a fault of ours, not of the file */
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly thrown?: unknown }

/** What a start came to. */
export type FirstLoad =
  | { readonly from: 'file'; readonly content: Content; readonly snapshot: Snapshot }
  /** The file has these Problems; what was accepted last is served instead, and somebody should know. */
  | {
      readonly from: 'mirror'
      readonly content: Content
      readonly snapshot: Snapshot
      readonly problems: readonly Problem[]
    }
  /** There is nothing to serve: the process should print the Problems and exit 1. */
  | { readonly from: 'nothing'; readonly content: Content; readonly problems: readonly Problem[] }

/** Serves that content if it is sound, and keeps a copy of it. */
export async function load(content: Content, loading: Loading): Promise<Loaded> {
  const { live, services } = loading
  const served = live.snapshot
  if (served && !content.problem && content.hash === served.hash) {
    live.replace(served)
    return { ok: true, snapshot: served, warnings: served.warnings }
  }
  const loaded = await build(content, loading, {
    revision: (served?.revision ?? 0) + 1,
    loadedAt: services.clock.wall(),
  })
  if (loaded.ok) {
    live.replace(loaded.snapshot)
    loading.mirror.save(loaded.snapshot.settings.stateDir, content.text)
  } else live.refuse(loaded.problems)
  return loaded
}

/** Loads the file, or else the last accepted one. */
export async function loadFirst(loading: Loading): Promise<FirstLoad> {
  const { file, env, live, services } = loading
  const content = await readContent(file)
  const loaded = await load(content, loading)
  if (loaded.ok) return { from: 'file', content, snapshot: loaded.snapshot }
  const { problems } = loaded
  const text = await readMirror(loading, stateDirOf(file, declaredStateDir(content.text, env), env))
  if (text === undefined) return { from: 'nothing', content, problems }
  const last = await build({ text, hash: '' }, loading, { revision: 1, loadedAt: services.clock.wall() })
  if (!last.ok) return { from: 'nothing', content, problems }
  live.replace(last.snapshot)
  live.refuse(problems)
  return { from: 'mirror', content, snapshot: last.snapshot, problems }
}

async function build(
  { text, problem }: Content,
  loading: Loading,
  stamp: Parameters<typeof compile>[2],
): Promise<Loaded> {
  const { file, kinds, env, services, rollouts } = loading
  if (problem) return { ok: false, problems: [problem] }
  try {
    const { declaration, problems } = await inTurns(readingSteps({ file, text }, kinds, env))
    if (!declaration) return { ok: false, problems }
    await rollouts.open(declaration.settings.stateDir, declaration.settings)
    const orphans = rollouts.orphans(declaration.rollouts).map(aboutTheWhole)
    if (orphans.length > 0) return { ok: false, problems: [...orphans, ...problems] }
    const snapshot = compile(declaration, services, stamp)
    return { ok: true, snapshot, warnings: snapshot.warnings }
  } catch (thrown) {
    const message =
      'the gateway failed over this file, which is its own fault and not that of the file; please report it'
    return { ok: false, problems: [{ severity: 'error', line: 1, column: 1, message }], thrown }
  }
}

function aboutTheWhole(message: string): Problem {
  return { severity: 'error', line: 1, column: 1, message }
}

/** As a broken file declares it if that much of it can be read, else the default. */
function declaredStateDir(text: string, env: Environment): string {
  const written = readDocument(text, env, createFindings())
  const declared = valueAt(written?.value, '/stateDir')
  return typeof declared === 'string' ? declared : defaultStateDir
}

/** One that cannot be read is as good as none: the Problems of the file are what must be mended. */
async function readMirror({ mirror }: Loading, stateDir: string): Promise<string | undefined> {
  return mirror.read(stateDir).catch(() => undefined)
}
