// A gateway in this process on free ports, with its routes.yaml in a folder of its own.
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type GatewayOptions, openGateway, type RunningGateway } from '../../gateway/main.ts'
import { type Line, lineOf, readLines } from './lines.ts'
import { places } from './places.ts'
import { filesIn, pagesOf, plant, refuseSecrets } from './planted.ts'

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
  log(): Promise<Line[]>
  /** The first line that fits, come or yet to come. */
  line(fits: (line: Line) => boolean): Promise<Line>
  /** The value of a series (`name{label="…"}`, labels in the order of /metrics); 0 when there is none. */
  metric(series: string): Promise<number>
  /** Rejects when a planted secret is in anything that it has written, or tells operators (planted.ts). */
  close(): Promise<void>
}

/** @param yaml all of routes.yaml but the listeners' places. */
export async function startTestGateway(
  yaml: string,
  header = places,
  options: Partial<GatewayOptions> = {},
): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-test-'))
  const configFile = join(folder, 'routes.yaml')
  await writeFile(configFile, header + yaml)
  const logFile = join(folder, 'out.log')
  // `BANYAN_DOOR=general vitest run test/journey` takes every journey through the general door alone.
  const env = { BANYAN_DOOR: process.env.BANYAN_DOOR, NOBODYS_SECRET: plant('environment'), ...options.env }
  const opened = await openGateway({
    configFile,
    stdout: logFile,
    ...options,
    env,
  })
  if (!opened.ok) {
    refuseSecrets([{ name: 'the refusal', text: opened.reason }, ...(await filesIn(folder))])
    await rm(folder, { recursive: true, force: true })
    throw new Error(`the gateway refused its file: ${opened.reason}`)
  }
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
    log: () => readLines(logFile),
    line: (fits) => lineOf(logFile, fits),
    async metric(series) {
      const response = await fetch(`http://127.0.0.1:${gateway.places.admin.port}/metrics`)
      const text = await response.text()
      const found = text.split('\n').find((line) => line.startsWith(`${series} `))
      return Number(found?.slice(series.length + 1) ?? 0)
    },
    async close() {
      const told = await pagesOf(`http://127.0.0.1:${gateway.places.admin.port}`)
      await gateway.close()
      const written = await Promise.all([folder, ...elsewhere(header + yaml, env)].map(filesIn))
      await rm(folder, { recursive: true, force: true })
      refuseSecrets([...told, ...written.flat()])
    },
  }
}

/** Where it writes beside its own folder. */
function elsewhere(yaml: string, { BANYAN_STATE_DIR }: Record<string, string | undefined>): readonly string[] {
  const stateDir = BANYAN_STATE_DIR ?? /^stateDir: (\/\S+)$/m.exec(yaml)?.[1]
  return stateDir === undefined ? [] : [stateDir]
}
