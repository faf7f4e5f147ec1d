// Load in a closed loop: as many connections as there are, each asking again as soon as it has been answered. By wrk where
// it is installed, because it costs the load's core least; else by the lean client.
// The danger it guards against: a proxy that is fast because it answers wrongly. Any wrong answer fails the measurement.
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { spreadOf } from '../percentiles.ts'
import { bearer } from './bearer.ts'
import { complaintAbout, openConnection } from './client.ts'
import { type Ask, bodyOf, bodyType, requestOf } from './scenarios.ts'

export interface Load {
  readonly port: number
  readonly ask: Ask
  readonly connections: number
  readonly seconds: number
  /** Of one whole answer of this proxy, head and body, as a check before the load has seen it. */
  readonly wireBytes: number
}

export interface Loaded {
  readonly requests: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** @throws Error that says what was wrong with an answer */
export type Loop = (load: Load) => Promise<Loaded>

/** The loop of the lean client, in this process: every answer's status and length are checked. */
export const leanLoop: Loop = ({ port, ask, connections, seconds }) => {
  const request = requestOf(ask, port)
  const open = Array.from({ length: connections }, () => openConnection(port))
  const latenciesMs: number[] = []
  const startedAt = performance.now()
  const endAt = startedAt + seconds * 1000
  const loops = open.map(
    (connection) =>
      new Promise<void>((resolve, reject) => {
        const next = () => {
          const sentAt = performance.now()
          connection.ask(request, (answer) => {
            const now = performance.now()
            const complaint = complaintAbout(answer, ask)
            if (complaint !== undefined) reject(new Error(complaint))
            else latenciesMs.push(now - sentAt)
            if (complaint === undefined && now < endAt) next()
            else resolve()
          })
        }
        next()
      }),
  )
  return Promise.all(loops)
    .then(() => summary(latenciesMs, (performance.now() - startedAt) / 1000))
    .finally(() => {
      for (const connection of open) connection.close()
    })
}

/** @throws Error when nothing was answered */
export function summary(latenciesMs: readonly number[], seconds: number): Loaded {
  const spread = spreadOf(latenciesMs)
  if (spread === undefined) throw new Error('nothing was answered')
  return { requests: spread.count, seconds, p50Ms: spread.p50, p99Ms: spread.p99 }
}

interface Told {
  readonly requests: number
  readonly micros: number
  readonly bytes: number
  readonly p50: number
  readonly p99: number
  readonly errors: Readonly<Record<string, number>>
}

/**
 * The loop of wrk. It sees wrong statuses and cut answers itself; that no answer was shorter or longer than it should be
 * follows from the bytes of all of them.
 * @param folder for its script
 */
export function wrkLoop(program: string, folder: string): Loop {
  return async ({ port, ask, connections, seconds, wireBytes }) => {
    const script = join(folder, 'wrk.lua')
    await writeFile(script, wrkScript(ask))
    // wrk takes whole seconds.
    const duration = `${Math.max(1, Math.round(seconds))}s`
    const options = ['-t1', `-c${connections}`, `-d${duration}`, '--timeout', '10s', '-s', script]
    const child = spawn(program, [...options, `http://127.0.0.1:${port}${ask.path}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    // When this process is ended, its load goes with it.
    const end = () => child.kill('SIGKILL')
    process.once('exit', end)
    const written = await text(child.stdout)
    process.off('exit', end)
    const line = written.split('\n').find((one) => one.startsWith('{'))
    if (line === undefined) throw new Error(`wrk gave no figures: ${written}`)
    const { requests, micros, bytes, p50, p99, errors }: Told = JSON.parse(line)
    const failed = Object.entries(errors).filter(([, count]) => count > 0)
    if (failed.length > 0) throw new Error(failed.map(([kind, count]) => `${count} × ${kind}`).join(', '))
    if (requests === 0) throw new Error('nothing was answered')
    // Answers under way at the end are counted in bytes only.
    if (Math.abs(bytes - requests * wireBytes) > (connections + 1) * wireBytes)
      throw new Error(`${bytes} bytes in ${requests} answers of ${wireBytes}: not all were whole, or some too long`)
    return { requests, seconds: micros / 1e6, p50Ms: p50 / 1000, p99Ms: p99 / 1000 }
  }
}

function wrkScript({ method, requestBytes, isKnown }: Ask): string {
  const body =
    requestBytes > 0 ? `wrk.body = "${bodyOf(requestBytes)}"\nwrk.headers["Content-Type"] = "${bodyType}"` : ''
  const known = isKnown ? `wrk.headers["Authorization"] = "Bearer ${bearer}"` : ''
  return `wrk.method = "${method}"
${body}
${known}
function done(summary, latency)
  local e = summary.errors
  print(string.format('{"requests":%d,"micros":%d,"bytes":%d,"p50":%d,"p99":%d,' ..
    '"errors":{"refused":%d,"cut":%d,"unsent":%d,"wrong status":%d,"timeout":%d}}',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    e.connect, e.read, e.write, e.status, e.timeout))
end
`
}
