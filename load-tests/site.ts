// What a run runs against: a whole site of its own on free ports, or one that is there already.
// The danger it guards against: a run that leaves processes, folders or an edited routes.yaml behind.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FaultPlan, type Interposer, interpose } from './fault.ts'
import { type ProcessPlan, type RunningProcess, startProcess } from './processes.ts'
import { type Change, readRoutes, replaceRoutes, withChanges, withStage } from './routes-file.ts'

export interface Site {
  /** The public door, scheme://host:port. */
  readonly gateway: string
  /** The admin listener. */
  readonly admin: string
  /** The gateway's routes.yaml, to be edited. */
  readonly configFile: string
  readonly interposer?: Interposer | undefined
  /** Stops what was started, removes what was made, and puts back what was changed. */
  close(): Promise<void>
}

const root = fileURLToPath(new URL('..', import.meta.url))
/** The gateway has a minute to drain; a test does not. */
const gatewayGraceMs = 15_000

/** A site that others run: only its routes file is changed, and put back as it was. */
export async function givenSite(urls: Pick<Site, 'gateway' | 'admin' | 'configFile'>): Promise<Site> {
  const before = await readRoutes(urls.configFile)
  const close = async () => {
    if ((await readRoutes(urls.configFile)) !== before) await replaceRoutes(urls.configFile, before)
  }
  return { ...urls, close }
}

export interface OwnSitePlan {
  /** The route that is moved: it starts at `legacy`. */
  readonly route: string
  /** Where the gateway writes its access log; an older one goes. */
  readonly logFile: string
  /** Between the gateway and the monolith. */
  readonly fault?: Omit<FaultPlan, 'upstream'> | undefined
}

/** The monolith, both services and the gateway as child processes, with this repository's routes.yaml. */
export async function ownSite({ route, logFile, fault }: OwnSitePlan): Promise<Site> {
  const undo: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  const start = async <T>(plan: ProcessPlan<T>, graceMs?: number): Promise<RunningProcess<T>> => {
    const running = await startProcess(plan)
    undo.push(() => running.stop(graceMs))
    return running
  }
  try {
    const folder = await mkdtemp(join(tmpdir(), 'banyan-cutover-'))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    const monolith = (await start(system('legacy-mock/main.ts', 'monolith'))).ready
    // One after the other: a start that fails must not leave another one half-way behind whoever cleans up.
    const search = (await start(system('services/search/main.ts', 'search'))).ready
    const ai = (await start(system('services/ai/main.ts', 'ai', ['--monolith', monolith]))).ready
    const interposer = fault && (await interpose({ ...fault, upstream: monolith }))
    if (interposer) undo.push(interposer.close)
    const configFile = join(folder, 'routes.yaml')
    await mkdir(dirname(logFile), { recursive: true })
    await rm(logFile, { force: true })
    const urls = { monolith: interposer?.url ?? monolith, search, ai }
    await replaceRoutes(
      configFile,
      ownRoutes(await readRoutes(join(root, 'routes.yaml')), { route, urls, folder, logFile }),
    )
    const gateway = await start(gatewayPlan(configFile, folder), gatewayGraceMs)
    return { gateway: gateway.ready.public, admin: gateway.ready.admin, configFile, interposer, close }
  } catch (error) {
    await close()
    throw error
  }
}

function system(script: string, name: string, args: readonly string[] = []): ProcessPlan<string> {
  return {
    name,
    args: [join(root, script), '--port', '0', ...args],
    ready: (line) => /^\w+ listening on (http:\/\/\S+)$/.exec(line)?.[1],
  }
}

interface Listening {
  readonly public: string
  readonly admin: string
}

function gatewayPlan(configFile: string, folder: string): ProcessPlan<Listening> {
  return {
    name: 'gateway',
    args: [join(root, 'bin/banyan.js'), 'run', '--config', configFile],
    ready: listeningIn,
    env: { BANYAN_STATE_DIR: join(folder, 'state') },
  }
}

/** The addresses in the gateway's one `listening` line of its log. */
export function listeningIn(line: string): Listening | undefined {
  if (!line.startsWith('{') || !line.includes('"listening"')) return undefined
  const said = JSON.parse(line) as Listening & { msg?: string }
  return said.msg === 'listening' ? { public: said.public, admin: said.admin } : undefined
}

interface OwnRoutes {
  readonly route: string
  readonly urls: Readonly<Record<string, string>>
  readonly folder: string
  readonly logFile: string
}

function ownRoutes(text: string, { route, urls, folder, logFile }: OwnRoutes): string {
  const changes: Change[] = [
    ...['public', 'probes', 'admin'].flatMap<Change>((door) => [
      [[door, 'host'], '127.0.0.1'],
      [[door, 'port'], 0],
    ]),
    [['stateDir'], join(folder, 'state')],
    [['accessLog'], { file: resolve(logFile) }],
    ...Object.entries(urls).map<Change>(([name, url]) => [['upstreams', name, 'url'], url]),
  ]
  return withStage(withChanges(text, changes), route, 'legacy')
}
