// The gateway of a chaos run: what the parts of the run need of it, and how it is started as a process of its own.
// The danger it guards against: a gateway in the generator's own process, whose latency is then the generator's.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProcess } from '../processes.ts'
import { listeningIn } from '../site.ts'

export interface Gateway {
  readonly url: string
  readonly adminUrl: string
  close(): Promise<unknown>
}

/** @param yaml all of routes.yaml but the listeners' places */
export type StartGateway = (yaml: string) => Promise<Gateway>

const script = fileURLToPath(new URL('../../bin/banyan.js', import.meta.url))
const loopback = (name: string) => `${name}: { host: 127.0.0.1, port: 0 }\n`

export const startGateway: StartGateway = async (yaml) => {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-chaos-'))
  const file = join(folder, 'routes.yaml')
  const own = [...['public', 'probes', 'admin'].map(loopback), `stateDir: ${JSON.stringify(folder)}\n`]
  await writeFile(file, own.join('') + yaml)
  const running = await startProcess({ name: 'gateway', args: [script, 'run', '--config', file], ready: listeningIn })
  return {
    url: running.ready.public,
    adminUrl: running.ready.admin,
    async close() {
      await running.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The state of each upstream's breaker, by the upstream's name. */
export async function breakersOf({ adminUrl }: Gateway): Promise<ReadonlyMap<string, string>> {
  const response = await fetch(new URL('/status', adminUrl))
  const { upstreams } = (await response.json()) as {
    readonly upstreams: readonly { readonly name: string; readonly breaker?: { readonly state: string } }[]
  }
  return new Map(upstreams.map(({ name, breaker }) => [name, breaker?.state ?? 'none']))
}
