// `npm start`: the monolith, both services and the gateway on loopback, for somebody who wants to see it work.
// The danger it guards against: a demonstration that half starts, or that leaves processes behind when it ends.
import { createWriteStream, mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type ProcessPlan, type RunningProcess, startProcess } from '../load-tests/processes.ts'
import { greeting } from './greeting.ts'
import { type Doors, doorsIn, newsIn } from './news.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const logFile = join(root, 'var/gateway.log')
const healthyWithinMs = 30_000
const pollMs = 100
/** The gateway would give streams a minute to end; somebody who pressed Ctrl-C does not. */
const stopGraceMs = 3000

const running: RunningProcess<unknown>[] = []
let isEnding = false

// From a terminal, Ctrl-C comes more than once: from the terminal itself and through npm.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(0))

console.log('starting the monolith, two services and the gateway')
try {
  const doors = await startAll()
  await untilHealthy(doors)
  if (!isEnding) console.log(greeting(doors, logFile))
} catch (error) {
  await end(1, error instanceof Error ? error.message : String(error))
}

async function startAll(): Promise<Doors> {
  const monolith = start(system('monolith', 'legacy-mock/main.ts', 4000))
  const services = [
    start(system('search', 'services/search/main.ts', 4100)),
    start(system('ai', 'services/ai/main.ts', 4200, ['--monolith', 'http://127.0.0.1:4000'])),
  ]
  await Promise.all([monolith, ...services])
  mkdirSync(join(root, 'var'), { recursive: true })
  const log = createWriteStream(logFile)
  return start({
    name: 'gateway',
    args: [join(root, 'bin/banyan.js'), 'run', '--config', relative(process.cwd(), join(root, 'routes.yaml'))],
    ready: doorsIn,
    onLine(line) {
      log.write(`${line}\n`)
      const news = newsIn(line)
      if (news && !isEnding) console.log(news)
    },
  })
}

function system(name: string, script: string, port: number, more: readonly string[] = []): ProcessPlan<string> {
  return {
    name,
    args: [join(root, script), '--port', String(port), ...more],
    ready: (line) => /listening on (http:\S+)/.exec(line)?.[1],
  }
}

async function start<T>(plan: ProcessPlan<T>): Promise<T> {
  const part = await startProcess(plan)
  running.push(part)
  void part.ended.then((code) => end(1, `${part.name} ended with exit code ${code}\n${part.complaints()}`.trimEnd()))
  return part.ready
}

/** The gateway serves, and everything that its routes.yaml names takes connections. */
async function untilHealthy({ admin }: Doors): Promise<void> {
  const deadline = Date.now() + healthyWithinMs
  let silent: readonly string[] = []
  while (!isEnding) {
    const answer = await fetch(`${admin}/readyz`)
    const { upstreams } = (await answer.json()) as { upstreams: { name: string; connects: boolean }[] }
    silent = upstreams.filter(({ connects }) => !connects).map(({ name }) => name)
    if (answer.ok && silent.length === 0) return
    if (Date.now() > deadline) throw new Error(`no connection to ${silent.join(', ')}: look at its url in routes.yaml`)
    await delay(pollMs)
  }
}

/** Once, whoever calls first: stops the gateway, then what stands behind it. What has not become ready dies with us. */
async function end(code: number, reason?: string): Promise<void> {
  if (isEnding) return
  isEnding = true
  if (reason !== undefined) console.error(sentenceOf(reason))
  for (const part of running.reverse()) await part.stop(stopGraceMs)
  process.exit(code)
}

function sentenceOf(reason: string): string {
  const taken = /EADDRINUSE\S* address already in use \S*?:(\d+)|port (\d+) on \S+ is in use/.exec(reason)
  if (!taken) return reason
  return `port ${taken[1] ?? taken[2]} is in use: stop what listens there (an earlier npm start?) and start again`
}
