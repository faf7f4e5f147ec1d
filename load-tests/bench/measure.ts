// One measurement: a proxy is started, its answers are checked byte for byte, it is warmed, measured, and stopped.
// The danger it guards against: figures of a proxy that was still starting, still compiling, or answering wrongly.
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Answered, complaintAbout, openConnection } from './client.ts'
import type { Contestant } from './contestants.ts'
import { mostIdle, openIdle } from './idle.ts'
import type { Load, Loaded, Loop } from './load.ts'
import { findProgram } from './programs.ts'
import { rateLoop } from './rate.ts'
import { type Ask, bodyOf, requestOf, type Scenario } from './scenarios.ts'
import { freePort, type Server, startServer } from './servers.ts'
import { usageOf } from './usage.ts'

export interface Figures {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** User and system time of the whole process tree. */
  readonly cpuMicrosPerRequest: number
  /** Resident memory of the whole process tree, right after the load. */
  readonly rssBytes: number
  /** What each idle connection added to the resident memory, in scenarios that have them. */
  readonly rssBytesPerConnection?: number
  /** How late the generator was at the 99th percentile, where it keeps a rate. */
  readonly lagP99Ms?: number
}

export interface Bench {
  readonly loop: Loop
  readonly originPort: number
  readonly proxyPrefix: readonly string[]
  /** For configurations and logs. */
  readonly folder: string
  readonly random: () => number
}

/** Enough for a just-in-time compiler; less where the measurement itself is short. */
const mostWarmSeconds = 2
/** For what the proxy still has to do about connections that have just come: its memory is looked at then. */
const settleMs = 1000

/** @throws Error that says why there are no figures */
export async function measure(
  bench: Bench,
  contestant: Contestant,
  scenario: Scenario,
  seconds: number,
): Promise<Figures> {
  const folder = join(bench.folder, 'contestant')
  await mkdir(folder, { recursive: true })
  try {
    const port = await freePort()
    const place = { port, originPort: bench.originPort, folder }
    const command = await contestant.prepare(place, findProgram(contestant.needs ?? '') ?? '')
    const [program = '', ...args] = [...bench.proxyPrefix, command.program, ...command.args]
    const server = await startServer({ ...command, program, args }, port)
    try {
      return await figuresOf({ bench, server, port, scenario, seconds })
    } finally {
      await server.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Measurement {
  readonly bench: Bench
  readonly server: Server
  readonly port: number
  readonly scenario: Scenario
  readonly seconds: number
}

async function figuresOf({ bench, server, port, scenario, seconds }: Measurement): Promise<Figures> {
  const { ask, connections, idleConnections, ratePerSecond } = scenario
  await checkAnswer(port, ask)
  // The second may come from stock, and says so (RFC 9111 §5.1); those behind it are as long.
  const load: Load = { port, ask, connections, seconds, wireBytes: await checkAnswer(port, ask) }
  await bench.loop({ ...load, seconds: Math.min(mostWarmSeconds, seconds / 2) })
  const idle = idleConnections === undefined ? undefined : await addIdle(server, load, idleConnections)
  try {
    const before = usageOf(server.pid)
    const loaded: Loaded & { lagP99Ms?: number } = ratePerSecond
      ? await rateLoop({ ...load, ratePerSecond, random: bench.random })
      : await bench.loop(load)
    const after = usageOf(server.pid)
    idle?.check()
    return { ...rates(loaded, after.cpuMicros - before.cpuMicros), rssBytes: after.rssBytes, ...idle?.figures }
  } finally {
    idle?.close()
  }
}

function rates({ requests, seconds, ...latency }: Loaded, cpuMicros: number): Omit<Figures, 'rssBytes'> {
  return { requestsPerSecond: requests / seconds, ...latency, cpuMicrosPerRequest: cpuMicros / requests }
}

async function addIdle(server: Server, { port, ask }: Load, wanted: number) {
  const count = mostIdle(wanted)
  await delay(settleMs)
  const before = usageOf(server.pid)
  const idle = await openIdle(port, ask, count)
  await delay(settleMs)
  const after = usageOf(server.pid)
  return { ...idle, figures: { rssBytesPerConnection: (after.rssBytes - before.rssBytes) / count } }
}

/** Asks once and compares every byte of the body. @returns the bytes of the whole answer. @throws Error */
async function checkAnswer(port: number, ask: Ask): Promise<number> {
  const connection = openConnection(port)
  const answer = await new Promise<Answered | Error>((resolve) => connection.ask(requestOf(ask, port), resolve))
  connection.close()
  const complaint = complaintAbout(answer, ask)
  if (answer instanceof Error || complaint !== undefined) throw new Error(complaint)
  if (!answer.body().equals(bodyOf(ask.answerBytes))) throw new Error('the body is not the one that the origin sent')
  return answer.wireBytes
}
