// What a process and all its children have used, from the operating system (proc(5)).
// The danger it guards against: a proxy that looks cheap because its work is done in a child.
import { readdirSync, readFileSync } from 'node:fs'

export interface Usage {
  /** User and system time since the start. */
  readonly cpuMicros: number
  readonly rssBytes: number
}

/** USER_HZ: a hundred per second on every Linux that Node runs on. */
const microsPerTick = 10_000

interface Entry {
  readonly pid: number
  readonly parent: number
  readonly ticks: number
}

/** @throws Error where there is no /proc, or no such process */
export function usageOf(pid: number): Usage {
  const tree = treeOf(pid)
  if (tree.length === 0) throw new Error(`process ${pid} is gone`)
  const ticks = tree.reduce((sum, entry) => sum + entry.ticks, 0)
  const rssBytes = tree.reduce((sum, entry) => sum + rssOf(entry.pid), 0)
  return { cpuMicros: ticks * microsPerTick, rssBytes }
}

function treeOf(root: number): Entry[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => entryOf(Number(name)))
  const tree = all.filter(({ pid }) => pid === root)
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid))
  return tree
}

function entryOf(pid: number): Entry[] {
  const stat = contentOf(`/proc/${pid}/stat`)
  // The name, in parentheses, may hold anything; the fields after it are numbered from 3 in proc(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields.length < 20) return []
  const field = (number: number) => Number(fields[number - 3])
  // utime, stime, and cutime, cstime of children that have ended and been waited for.
  return [{ pid, parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) }]
}

function rssOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(contentOf(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}

/** Empty when the process has just ended. */
function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
