// Which core each side runs on: the proxy alone on one, the load and the origin on the others.
// The danger it guards against: a proxy that is measured while it waits for the load, or with a core more than its peers.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { findProgram } from './programs.ts'

export interface Cores {
  /** Put before the command of a proxy; empty when nothing can be pinned. */
  readonly proxyPrefix: readonly string[]
  /** For the reader of the figures. */
  readonly note: string
}

/** Pins this process, and so all that it starts without `proxyPrefix`, to the load's cores. */
export function shareCores(): Cores {
  const taskset = findProgram('taskset')
  const allowed = allowedCores()
  const proxy = allowed.at(-1)
  const load = allowed.slice(0, -1)
  if (taskset === undefined) return { proxyPrefix: [], note: 'not pinned to cores: there is no taskset' }
  if (proxy === undefined || load.length === 0) {
    return { proxyPrefix: [], note: 'not pinned: proxy, load and origin share the one core that there is' }
  }
  const pinned = spawnSync(taskset, ['-a', '-c', '-p', load.join(','), String(process.pid)])
  if (pinned.status !== 0) return { proxyPrefix: [], note: 'not pinned to cores: taskset may not' }
  return {
    proxyPrefix: [taskset, '-c', String(proxy)],
    note: `proxy on core ${proxy}, load and origin on ${load.join(',')}`,
  }
}

function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? ''
  return list.split(',').flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split('-').map(Number)
    return Array.from({ length: Math.max(0, last - first + 1) || 0 }, (_, i) => first + i)
  })
}
