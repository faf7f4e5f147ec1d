// Throughput figures from autocannon, beside the evidence: how much passes when as much is asked as can be.
// The danger it guards against: taking them for evidence. It is a closed loop that counts cut answers as successes.
import { createRequire } from 'node:module'
import { startProcess } from './processes.ts'

export interface Throughput {
  readonly target: string
  readonly seconds: number
  readonly connections: number
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const connections = 10

interface Measured {
  readonly requests: { readonly average: number }
  readonly latency: { readonly p50: number; readonly p99: number }
}

/** @param url what is asked again and again. @param seconds whole seconds, at least 1 */
export async function measureThroughput(url: string, seconds: number): Promise<Throughput> {
  const autocannon = createRequire(import.meta.url).resolve('autocannon')
  const running = await startProcess({
    name: 'autocannon',
    args: [autocannon, '--json', '--connections', String(connections), '--duration', String(seconds), url],
    ready: (line) => (line.startsWith('{') ? (JSON.parse(line) as Measured) : undefined),
    readyWithinMs: (seconds + 20) * 1000,
  })
  await running.ended
  const { requests, latency } = running.ready
  const target = new URL(url).pathname
  const figures = { requestsPerSecond: Math.round(requests.average), p50Ms: latency.p50, p99Ms: latency.p99 }
  return { target, seconds, connections, ...figures }
}
