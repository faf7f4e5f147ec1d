// The gateway as a process of its own: the real command, its exit code, its memory.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { afterAll } from 'vitest'
import type { Line } from './lines.ts'
import { filesIn, plant, refuseSecrets } from './planted.ts'

const script = new URL('../../bin/banyan.js', import.meta.url).pathname

export interface GatewayProcess {
  readonly child: ChildProcess
  readonly pid: number
  readonly url: string
  readonly port: number
  readonly adminUrl: string
  readonly probesUrl: string
  readonly lines: readonly Line[]
  /** Resolves with the first line that fits, come or yet to come; rejects when the process ends without it. */
  line(fits: (line: Line) => boolean): Promise<Line>
  readonly exited: Promise<number | null>
}

export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A folder with a routes.yaml, removed when the tests of the file have ended. */
export async function newFolder(yaml?: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-process-'))
  afterAll(() => rm(folder, { recursive: true, force: true }))
  if (yaml !== undefined) await writeFile(join(folder, 'routes.yaml'), yaml)
  return folder
}

/** Runs `banyan run` in that folder until it has ended by itself. */
export async function runToEnd(folder: string, nodeArgs: readonly string[] = []): Promise<Ended> {
  const child = launch(folder, nodeArgs)
  const [[code], out, err] = await Promise.all([
    once(child, 'close'),
    text(child.stdout as NonNullable<typeof child.stdout>),
    text(child.stderr as NonNullable<typeof child.stderr>),
  ])
  refuseSecrets([{ name: 'stdout', text: out }, { name: 'stderr', text: err }, ...(await filesIn(folder))])
  return { code, out, err }
}

/** Runs `banyan run` in that folder and resolves once it listens. */
export async function startProcess(folder: string): Promise<GatewayProcess> {
  const child = launch(folder, [])
  const lines: Line[] = []
  let told: (() => void)[] = []
  let isOver = false
  const tell = () => {
    for (const listener of told.splice(0)) listener()
  }
  child.stderr?.pipe(process.stderr)
  let complaints = ''
  child.stderr?.on('data', (chunk) => {
    complaints += chunk
  })
  createInterface({ input: child.stdout as NonNullable<typeof child.stdout> }).on('line', (line) => {
    lines.push(JSON.parse(line) as Line)
    tell()
  })
  const exited = once(child, 'close').then(([code]) => {
    isOver = true
    tell()
    return code as number | null
  })
  afterAll(async () => {
    child.kill('SIGKILL')
    await exited
    const said = { name: 'stdout', text: lines.map((line) => JSON.stringify(line)).join('\n') }
    refuseSecrets([said, { name: 'stderr', text: complaints }, ...(await filesIn(folder))])
  })
  async function line(fits: (line: Line) => boolean): Promise<Line> {
    for (;;) {
      const found = lines.find(fits)
      if (found) return found
      if (isOver) throw new Error(`the gateway ended; it said ${JSON.stringify(lines)}`)
      await new Promise<void>((resolve) => {
        told = [...told, resolve]
      })
    }
  }
  const { public: url, admin, probes } = await line(({ msg }) => msg === 'listening')
  return {
    child,
    pid: child.pid ?? 0,
    url: String(url),
    port: Number(new URL(String(url)).port),
    adminUrl: String(admin),
    probesUrl: String(probes),
    lines,
    line,
    exited,
  }
}

const door = process.env.BANYAN_DOOR
const secret = plant('environment')

function launch(folder: string, nodeArgs: readonly string[]): ChildProcess {
  return spawn(process.execPath, [...nodeArgs, script, 'run', '--config', join(folder, 'routes.yaml')], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      NOBODYS_SECRET: secret,
      ...(door !== undefined && { BANYAN_DOOR: door }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
