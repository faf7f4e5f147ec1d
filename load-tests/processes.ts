// Child processes of our own: start one, wait until it says that it is ready, stop it, and know why when it did not.
// The danger it guards against: processes that outlive whoever started them, and a start that fails without a word.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface ProcessPlan<T> {
  /** For messages. */
  readonly name: string
  /** Default: this Node. */
  readonly program?: string
  /** Its arguments; of Node: the script and its own. */
  readonly args: readonly string[]
  /** Is asked about each line of stdout until it answers something: the process is ready then. */
  readonly ready: (line: string) => T | undefined
  /** Beside our own environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Is told every line of stdout, the ready one included. */
  readonly onLine?: (line: string) => void
  /** How long it may take to become ready (default 30 s). */
  readonly readyWithinMs?: number
}

export interface RunningProcess<T> {
  readonly name: string
  readonly pid: number
  /** What `ready` made of the ready line. */
  readonly ready: T
  /** Settles with the exit code when the process has ended, whoever ended it (128 + signal number like a shell). */
  readonly ended: Promise<number>
  /** The last lines it wrote to stderr. */
  complaints(): string
  /** Asks it to end (SIGTERM), kills it after `graceMs` (default 10 s), and resolves with its exit code. */
  stop(graceMs?: number): Promise<number>
  /** Ends it where it stands (SIGKILL); resolves with its exit code. */
  kill(): Promise<number>
}

const alive = new Set<ChildProcess>()
const keptComplaintLines = 40
const signalNumbers: Partial<Record<NodeJS.Signals, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }

// The last resort, for a crash or a process.exit: whatever we started and did not stop dies with us, by its own pid.
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** Rejects, with what it wrote to stderr, when the process ends or stays silent instead of becoming ready. */
export async function startProcess<T>(plan: ProcessPlan<T>): Promise<RunningProcess<T>> {
  const child = spawn(plan.program ?? process.execPath, plan.args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...plan.env },
  })
  alive.add(child)
  const ended = endOf(child)
  const complaints = keepComplaints(child)
  const stop = (graceMs = 10_000) => stopChild(child, ended, graceMs)
  try {
    const ready = await readyLine(child, plan, ended)
    const kill = () => killChild(child, ended)
    return { name: plan.name, pid: child.pid ?? 0, ready, ended, complaints, stop, kill }
  } catch (error) {
    await stop()
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error([`${plan.name} ${reason}`, complaints()].filter(Boolean).join('\n'))
  }
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    const settle = (code: number) => {
      alive.delete(child)
      resolve(code)
    }
    // 'close' comes after the last byte of stdout and stderr, so that complaints are whole.
    child.once('close', (code, signal) => settle(code ?? 128 + (signalNumbers[signal ?? 'SIGKILL'] ?? 0)))
    child.once('error', () => settle(127))
  })
}

function keepComplaints(child: ChildProcess): () => string {
  const kept: string[] = []
  if (child.stderr) {
    createInterface({ input: child.stderr }).on('line', (line) => {
      kept.push(line)
      if (kept.length > keptComplaintLines) kept.shift()
    })
  }
  return () => kept.join('\n')
}

function readyLine<T>(child: ChildProcess, plan: ProcessPlan<T>, ended: Promise<number>): Promise<T> {
  const { ready, onLine, readyWithinMs = 30_000 } = plan
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`was not ready within ${readyWithinMs} ms`)), readyWithinMs)
    void ended.then((code) => {
      clearTimeout(timer)
      reject(new Error(`ended with exit code ${code} before it was ready`))
    })
    let isReady = false
    if (!child.stdout) return
    // Reading goes on after the ready line: a process whose pipe is full stops.
    createInterface({ input: child.stdout }).on('line', (line) => {
      onLine?.(line)
      const answer = isReady ? undefined : ready(line)
      if (answer === undefined) return
      isReady = true
      clearTimeout(timer)
      resolve(answer)
    })
  })
}

async function stopChild(child: ChildProcess, ended: Promise<number>, graceMs: number): Promise<number> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM')
  const killer = setTimeout(() => child.kill('SIGKILL'), graceMs)
  const code = await ended
  clearTimeout(killer)
  return code
}

function killChild(child: ChildProcess, ended: Promise<number>): Promise<number> {
  child.kill('SIGKILL')
  return ended
}
