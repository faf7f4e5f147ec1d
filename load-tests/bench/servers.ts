// Starts a server of any kind, waits until it listens, and ends it with all its children.
// The danger it guards against: servers that outlive the bench, and a start that fails without a word.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface Command {
  readonly program: string
  readonly args: readonly string[]
  /** Beside our own environment. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Server {
  readonly pid: number
  stop(): Promise<void>
}

const alive = new Set<ChildProcess>()
const startsWithinMs = 60_000
const graceMs = 5000

// The last resort, for a crash or Ctrl-C: each server leads a process group of its own, so that its children go too.
process.on('exit', () => {
  for (const child of alive) killGroup(child)
})

/** @param port where it is told to listen on 127.0.0.1. @throws Error with what it wrote when it does not. */
export async function startServer({ program, args, env }: Command, port: number): Promise<Server> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_ENV: 'production', ...env },
    detached: true,
  })
  alive.add(child)
  let complaints = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-2000)
  })
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      complaints += error.message
      resolve()
    })
    child.once('exit', () => resolve())
  }).then(() => alive.delete(child))
  const stop = async () => {
    child.kill('SIGTERM')
    const killer = setTimeout(() => killGroup(child), graceMs)
    await ended
    clearTimeout(killer)
  }
  const giveUpAt = performance.now() + startsWithinMs
  while (alive.has(child) && performance.now() < giveUpAt) {
    if (await isListening(port)) return { pid: child.pid ?? 0, stop }
    await delay(20)
  }
  await stop()
  throw new Error(`${program} does not listen: ${complaints.trim()}`)
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}

async function isListening(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
