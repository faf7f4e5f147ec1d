// An audit under test: a folder of its own, a clock that the test winds, and processes that append to it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { type Audit, createAudit } from '../../gateway/state/audit.ts'

export async function newStateDir(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-audit-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** 2026-11-21T12:00:00.000Z */
export const noon = Date.UTC(2026, 10, 21, 12)

export interface World {
  readonly audit: Audit
  readonly troubles: readonly string[]
  /** Sets the clock, in milliseconds after noon. */
  wind(ms: number): void
}

export function newAudit(stateDir: string, writer = 'one'): World {
  const troubles: string[] = []
  let at = noon
  const audit = createAudit({
    stateDir,
    writer,
    clock: { now: () => 0, wall: () => at },
    onTrouble: (message) => troubles.push(message),
  })
  onTestFinished(() => audit.close())
  return {
    audit,
    troubles,
    wind: (ms) => {
      at = noon + ms
    },
  }
}

/** A closed chain of a start and so many records more. */
export async function writeChain(stateDir: string, writer: string, records: number): Promise<void> {
  const { audit } = newAudit(stateDir, writer)
  for (let i = 0; i < records; i++) void audit.append({ kind: 'stage', by: 'file', subject: `route${i}` })
  await audit.close()
}

export function fileOf(stateDir: string, writer: string): string {
  return join(stateDir, 'audit', `${writer}.jsonl`)
}

/** Changes the lines of a chain, as somebody with an editor might. */
export async function tamper(stateDir: string, writer: string, change: (lines: string[]) => string[]): Promise<void> {
  const file = fileOf(stateDir, writer)
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  await writeFile(
    file,
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
  )
}

export interface Appender {
  readonly child: ChildProcess
  /** What it has said, line by line. */
  readonly said: readonly string[]
  /** Resolves once so many of its lines fit. */
  says(fits: (line: string) => boolean, times?: number): Promise<void>
  /** Kills it as nobody can prevent, and waits for its last word. */
  kill(): Promise<void>
}

const script = new URL('./appender.ts', import.meta.url).pathname

/** A process that appends for ever. @param shell what a shell does before it becomes that process */
export function startAppender(stateDir: string, shell = ':'): Appender {
  const child = spawn('bash', ['-c', `${shell}; exec "$0" "$@"`, process.execPath, script, stateDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const said: string[] = []
  const closed = once(child, 'close')
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (line) => said.push(line))
  const kill = async () => {
    child.kill('SIGKILL')
    await closed
  }
  onTestFinished(kill)
  return {
    child,
    said,
    kill,
    async says(fits, times = 1) {
      while (said.filter(fits).length < times) {
        if (child.exitCode !== null) throw new Error(`it has ended; it said ${said.slice(-5).join(' | ')}`)
        await once(lines, 'line')
      }
    },
  }
}
