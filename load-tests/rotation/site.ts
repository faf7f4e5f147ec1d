// What a run of rotations runs against: a gateway, a service that believes the gateway alone, an upstream that wants a secret, and
// an issuer; the first three are processes of their own.
// The danger it guards against: a file that is half written when the gateway reads it. Each is replaced whole.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ProcessPlan, startProcess } from '../processes.ts'
import { listeningIn } from '../site.ts'
import { audience, type Issuer, issuerName, startIssuer } from './issuer.ts'
import { controls } from './vault.ts'

export interface Line {
  readonly msg: string
  readonly added?: number
}

export interface RotationSite {
  readonly gateway: string
  readonly admin: string
  /** The service itself, round the gateway. */
  readonly service: string
  readonly issuer: Issuer
  /** The next line of the gateway's log that fits; rejects when none comes within `patienceMs`. */
  nextLine(fits: (line: Line) => boolean, what: string): Promise<Line>
  /** How often the log has said so. */
  countOf(msg: string): number
  /** Replaces one of the files that the gateway follows. */
  replace(file: 'peppers' | 'secret', lines: readonly string[]): Promise<void>
  /** What the vault takes from now on. */
  takeSecrets(secrets: readonly string[]): Promise<void>
  /** What the vault was told of the client who came last. */
  lastInternalToken(): Promise<string>
  close(): Promise<void>
}

export interface SitePlan {
  /** How long a rotated key works beside its successor. */
  readonly overlapMs: number
  /** How long a token is good that the gateway signs. */
  readonly internalLifeSeconds: number
  readonly peppers: readonly string[]
  readonly secrets: readonly string[]
}

/** How often the issuer is asked for its keys, and by which its clock may differ. */
export const refreshMs = 1_000
export const clockToleranceMs = 1_000
/** How long something that must come may take, on a machine that is busy with other things. */
export const patienceMs = 20_000

const root = fileURLToPath(new URL('../..', import.meta.url))

export async function startRotationSite(plan: SitePlan): Promise<RotationSite> {
  const undo: (() => unknown)[] = []
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  const start = async <T>(plan: ProcessPlan<T>): Promise<T> => {
    const running = await startProcess(plan)
    undo.push(() => running.stop())
    return running.ready
  }
  try {
    const folder = await mkdtemp(join(tmpdir(), 'banyan-rotation-'))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    const replace = async (name: string, lines: readonly string[]) => {
      await writeFile(join(folder, `${name}.new`), `${lines.join('\n')}\n`)
      await rename(join(folder, `${name}.new`), join(folder, name))
    }
    await replace('peppers', plan.peppers)
    await replace('secret', plan.secrets)
    const issuer = await startIssuer()
    undo.push(issuer.close)
    const vault = await start(listening('load-tests/rotation/vault.ts'))
    const trust = ['--port', '0', '--issuers', `banyan=${issuer.gatewayJwks}`]
    const service = await start(listening('services/search/main.ts', trust))
    await replace('routes.yaml', [routesOf({ vault, service, jwks: issuer.jwks }, plan)])
    const log = createLog()
    const gateway = await start({
      name: 'gateway',
      args: [join(root, 'bin/banyan.js'), 'run', '--config', join(folder, 'routes.yaml')],
      ready: listeningIn,
      onLine: log.take,
    })
    issuer.passOn(gateway.admin)
    const takeSecrets = async (taken: readonly string[]) => {
      await fetch(new URL(controls.secrets, vault), { method: 'PUT', body: taken.join('\n') })
    }
    await takeSecrets(plan.secrets)
    return {
      ...{ gateway: gateway.public, admin: gateway.admin, service, issuer, replace, takeSecrets, close },
      nextLine: log.next,
      countOf: log.countOf,
      lastInternalToken: async () => (await fetch(new URL(controls.token, vault))).text(),
    }
  } catch (error) {
    await close()
    throw error
  }
}

function listening(script: string, args: readonly string[] = []): ProcessPlan<string> {
  return {
    name: script,
    args: [join(root, script), ...args],
    ready: (line) => /^\w+ listening on (http:\/\/\S+)$/.exec(line)?.[1],
  }
}

function createLog() {
  const counts = new Map<string, number>()
  const waiting = new Set<(line: Line) => void>()
  return {
    take(text: string): void {
      const line = JSON.parse(text) as Line
      counts.set(line.msg, (counts.get(line.msg) ?? 0) + 1)
      for (const tell of waiting) tell(line)
    },
    countOf: (msg: string) => counts.get(msg) ?? 0,
    next: (fits: (line: Line) => boolean, what: string) =>
      new Promise<Line>((resolve, reject) => {
        const end = () => {
          clearTimeout(timer)
          waiting.delete(tell)
        }
        const tell = (line: Line) => {
          if (!fits(line)) return
          end()
          resolve(line)
        }
        const timer = setTimeout(() => {
          end()
          reject(new Error(`the gateway did not say within ${patienceMs} ms that ${what}`))
        }, patienceMs)
        waiting.add(tell)
      }),
  }
}

interface Places {
  readonly vault: string
  readonly service: string
  readonly jwks: string
}

/**
 * Of trustedProxies, so that each client has an address of his own: who fails too often is not heard from there.
 * The vault's token is for the search service too, so that the run has some to show it.
 */
function routesOf({ vault, service, jwks }: Places, { overlapMs, internalLifeSeconds }: SitePlan): string {
  return `
public: { host: 127.0.0.1, port: 0, trustedProxies: [127.0.0.1] }
probes: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
stateDir: ./state
accessLog: off
paths: { case: exact }
keys: { overlap: ${overlapMs}ms, peppers: { file: peppers } }
internalTokens: { life: ${internalLifeSeconds}s, rotate: 3s }
issuers:
  - issuer: ${issuerName}
    jwks: ${jwks}
    audience: [${audience}]
    refresh: ${refreshMs}ms
    clockTolerance: ${clockToleranceMs}ms
unmatched: vault
upstreams:
  vault: { url: "${vault}", secret: { from: { file: secret } }, internalToken: { audience: search } }
  search: { url: "${service}", internalToken: true }
routes:
  - name: search
    match: { path: /api/search, methods: [GET] }
    auth: { any: [jwt, apiKey] }
    upstream: search
`
}
