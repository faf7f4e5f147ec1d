// A real redis-server of one's own, on a port of its own, to be killed, frozen and restarted. Nothing of it stays: no files, no
// process. The danger it guards against: a store that is only ever tested against something that behaves.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '../../load-tests/bench/programs.ts'
import { type RunningProcess, startProcess } from '../../load-tests/processes.ts'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Of the process that runs now: another one after `restart`. */
  readonly pid: number
  /** Ends it for good, whatever state it is in. */
  stop(): Promise<void>
  /** As a power cut does: all it held is gone. */
  kill(): Promise<void>
  /** It takes connections and bytes, and answers nothing. */
  freeze(): void
  thaw(): void
  /** Empty, on the same port. Resolves once it takes connections. */
  restart(): Promise<void>
}

/** @param settings of redis.conf, such as `['--requirepass', 'x']` */
export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'banyan-redis-'))
  const port = await freePort()
  const launch = () => launchRedis(port, ['--dir', folder, ...settings])
  let running = await launch()
  let isRunning = true
  // One that has ended is left in peace: its pid may be somebody else's by now.
  const signal = (name: NodeJS.Signals) => {
    if (isRunning) process.kill(running.pid, name)
  }
  const kill = async () => {
    signal('SIGKILL')
    isRunning = false
    await running.ended
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return running.pid
    },
    kill,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async restart() {
      await kill()
      running = await launch()
      isRunning = true
    },
    async stop() {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function launchRedis(port: number, settings: readonly string[]): Promise<RunningProcess<true>> {
  const program = findProgram('redis-server')
  if (program === undefined) {
    throw new Error(
      'redis-server is not installed: npm test installs it for root; others: apt-get install redis-server',
    )
  }
  const ours = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no']
  return startProcess({
    name: 'redis-server',
    program,
    args: [...ours, ...settings],
    ready: (line) => (line.includes('Ready to accept connections') ? true : undefined),
  })
}

/**
 * Below the ports that the system gives to outgoing connections (from 32768 on Linux): while the server is down, nobody else
 * gets its port, and a client that tries to reconnect cannot be given that very port and so connect to itself.
 */
export async function freePort(): Promise<number> {
  const [lowest, count] = [12_000, 18_000]
  for (let tried = 0; tried < 200; tried++) {
    const port = lowest + ((process.pid * 61 + nextPort++) % count)
    if (await isFree(port)) return port
  }
  throw new Error('no free port')
}

let nextPort = 0

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
