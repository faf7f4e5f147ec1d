// The two gateways of a shadow run with what stands behind them, each a process of its own.
// The danger it guards against: two gateways that differ in more than whether they compare.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ProcessPlan, type RunningProcess, startProcess } from '../processes.ts'
import { listeningIn } from '../site.ts'
import type { Candidate } from './plan.ts'

export interface Gateway {
  readonly url: string
  readonly admin: string
  /** What it has resident now, or has had at most. Linux alone says so. */
  residentBytes(which: 'now' | 'most'): Promise<number>
}

export interface Gateways {
  readonly off: Gateway
  readonly on: Gateway
  close(): Promise<void>
}

const root = fileURLToPath(new URL('../..', import.meta.url))

export async function startGateways(candidate: Candidate): Promise<Gateways> {
  const undo: (() => Promise<unknown>)[] = []
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step()
  }
  const start = async <T>(plan: ProcessPlan<T>): Promise<RunningProcess<T>> => {
    const running = await startProcess(plan)
    undo.push(() => running.stop())
    return running
  }
  try {
    const folder = await mkdtemp(join(tmpdir(), 'banyan-shadow-'))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    const old = (await start(originPlan('answer'))).ready
    const fresh = (await start(originPlan(candidate))).ready
    const startOne = async (name: string, stage: string) => {
      const file = join(folder, `${name}.yaml`)
      await writeFile(file, routesOf({ old, fresh, stage, stateDir: join(folder, name) }))
      return gatewayOf(await start(gatewayPlan(name, file)))
    }
    return { off: await startOne('off', 'legacy'), on: await startOne('on', 'shadow'), close }
  } catch (error) {
    await close()
    throw error
  }
}

function routesOf({ old, fresh, stage, stateDir }: Record<'old' | 'fresh' | 'stage' | 'stateDir', string>): string {
  return `
public: { host: 127.0.0.1, port: 0 }
probes: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
stateDir: ${JSON.stringify(stateDir)}
accessLog: off
sessionCookie: SESSION
upstreams: { old: { url: ${old} }, new: { url: ${fresh} } }
unmatched: old
routes:
  - name: shipments
    match: { path: /shipments/* }
    move: { to: new, stage: ${stage}, compare: { sample: 100% } }
`
}

function originPlan(what: string): ProcessPlan<string> {
  return {
    name: `origin (${what})`,
    args: [join(root, 'load-tests/shadow/origin.ts'), what],
    ready: (line) => /^origin listening on (http:\/\/\S+)$/.exec(line)?.[1],
  }
}

function gatewayPlan(name: string, file: string): ProcessPlan<{ readonly public: string; readonly admin: string }> {
  return { name: `gateway (${name})`, args: [join(root, 'bin/banyan.js'), 'run', '--config', file], ready: listeningIn }
}

function gatewayOf({ pid, ready }: RunningProcess<{ readonly public: string; readonly admin: string }>): Gateway {
  return {
    url: ready.public,
    admin: ready.admin,
    async residentBytes(which) {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
      const key = which === 'now' ? 'VmRSS' : 'VmHWM'
      return Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1024
    },
  }
}
