// A gateway in this process on free ports, with its routes.yaml in a folder of its own.
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openGateway, type RunningGateway } from '../../gateway/main.ts'

const places = `
public: { host: 127.0.0.1, port: 0 }
probes: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0 }
`

export interface TestGateway {
  readonly gateway: RunningGateway
  readonly port: number
  readonly url: string
  readonly adminUrl: string
  readonly probesUrl: string
  /** The folder of routes.yaml, stateDir and the log. */
  readonly folder: string
  /** Replaces routes.yaml (atomic rename) and waits until the gateway has read it. */
  rewrite(yaml: string): Promise<void>
  /** The lines that the gateway has logged so far; parsed. */
  log(): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

/** @param yaml all of routes.yaml but the listeners' places. */
export async function startTestGateway(yaml: string, header = places): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-test-'))
  const configFile = join(folder, 'routes.yaml')
  await writeFile(configFile, header + yaml)
  const logFile = join(folder, 'out.log')
  const opened = await openGateway({ configFile, env: {}, stdout: logFile })
  if (!opened.ok) throw new Error(`the gateway refused its file: ${opened.reason}`)
  const { gateway } = opened
  return {
    gateway,
    port: gateway.places.public.port,
    url: `http://127.0.0.1:${gateway.places.public.port}`,
    adminUrl: `http://127.0.0.1:${gateway.places.admin.port}`,
    probesUrl: `http://127.0.0.1:${gateway.places.probes.port}`,
    folder,
    async rewrite(edited) {
      await writeFile(`${configFile}.new`, header + edited)
      await rename(`${configFile}.new`, configFile)
      await gateway.reload()
    },
    async log() {
      const text = await readFile(logFile, 'utf8')
      return text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    },
    async close() {
      await gateway.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
