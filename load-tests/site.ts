// What a run runs against: a whole site of its own on free ports, or one that is there already.
// The danger it guards against: a run that leaves processes, folders or an edited routes.yaml behind.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type FaultPlan, type Interposer, interpose } from './interposer.ts'
import { type ProcessPlan, type RunningProcess, startProcess } from './processes.ts'
import { type Change, readRoutes, replaceRoutes, withChanges } from './routes-file.ts'

export interface Site {
  /** The public door, scheme://host:port. */
  readonly gateway: string
  /** The admin listener. */
  readonly admin: string
  /** The gateway's routes.yaml, to be edited. */
  readonly configFile: string
  /** What stands between the gateway and an upstream, by the upstream's name. */
  readonly interposers: ReadonlyMap<string, Interposer>
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
  return { ...urls, interposers: new Map(), close }
}

/** One that is all ours. */
export interface OwnSite extends Site {
  readonly stateDir: string
  /** Kills the gateway where it stands (SIGKILL) and starts it again: on the same files, at other addresses. */
  crashGateway(): Promise<Pick<Site, 'gateway' | 'admin'>>
}

type SystemName = 'monolith' | 'search' | 'ai'

export interface OwnSitePlan {
  /** Makes the gateway's file of this repository's; addresses and folders are set here. */
  readonly edit: (text: string) => string
  /** Where the gateway writes its access log; an older one goes. */
  readonly logFile: string
  /** What is put between the gateway and a system. */
  readonly between?: Partial<Record<SystemName, FaultPlan>>
}

/** The monolith, both services and the gateway as child processes, with this repository's routes.yaml. */
export async function ownSite({ edit, logFile, between = {} }: OwnSitePlan): Promise<OwnSite> {
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
    const folder = await mkdtemp(join(tmpdir(), 'banyan-load-test-'))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    const systems = await startSystems(start)
    const interposers = new Map<string, Interposer>()
    for (const [name, plan] of Object.entries(between)) {
      const interposer = await interpose(systems[name as SystemName], plan)
      interposers.set(name, interposer)
      undo.push(interposer.close)
    }
    const urls = { ...systems, ...Object.fromEntries([...interposers].map(([name, { url }]) => [name, url])) }
    const configFile = join(folder, 'routes.yaml')
    const stateDir = join(folder, 'state')
    await mkdir(dirname(logFile), { recursive: true })
    await rm(logFile, { force: true })
    const text = edit(await readRoutes(join(root, 'routes.yaml')))
    await replaceRoutes(configFile, ownRoutes(text, { urls, stateDir, logFile }))
    const startGateway = () => start(gatewayPlan(configFile, stateDir), gatewayGraceMs)
    let running = await startGateway()
    const crashGateway = async () => {
      await running.kill()
      running = await startGateway()
      return addressesOf(running)
    }
    return { ...addressesOf(running), configFile, stateDir, interposers, crashGateway, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** One after the other: a start that fails must not leave another one half-way behind whoever cleans up. */
async function startSystems(
  start: (plan: ProcessPlan<string>) => Promise<RunningProcess<string>>,
): Promise<Readonly<Record<SystemName, string>>> {
  const monolith = (await start(system('legacy-mock/main.ts', 'monolith'))).ready
  const search = (await start(system('services/search/main.ts', 'search'))).ready
  const ai = (await start(system('services/ai/main.ts', 'ai', ['--monolith', monolith]))).ready
  return { monolith, search, ai }
}

function addressesOf({ ready }: RunningProcess<Listening>): Pick<Site, 'gateway' | 'admin'> {
  return { gateway: ready.public, admin: ready.admin }
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

function gatewayPlan(configFile: string, stateDir: string): ProcessPlan<Listening> {
  return {
    name: 'gateway',
    args: [join(root, 'bin/banyan.js'), 'run', '--config', configFile],
    ready: listeningIn,
    env: { BANYAN_STATE_DIR: stateDir },
  }
}

/** The addresses in the gateway's one `listening` line of its log. */
export function listeningIn(line: string): Listening | undefined {
  if (!line.startsWith('{') || !line.includes('"listening"')) return undefined
  const said = JSON.parse(line) as Listening & { msg?: string }
  return said.msg === 'listening' ? { public: said.public, admin: said.admin } : undefined
}

interface Places {
  readonly urls: Readonly<Record<string, string>>
  readonly stateDir: string
  readonly logFile: string
}

function ownRoutes(text: string, { urls, stateDir, logFile }: Places): string {
  return withChanges(text, [
    ...['public', 'probes', 'admin'].flatMap<Change>((door) => [
      [[door, 'host'], '127.0.0.1'],
      [[door, 'port'], 0],
    ]),
    [['stateDir'], stateDir],
    [['accessLog'], { file: resolve(logFile) }],
    ...Object.entries(urls).map<Change>(([name, url]) => [['upstreams', name, 'url'], url]),
  ])
}
