// A side of a chaos run as a process of its own, which always does the same.
// The danger it guards against: a side in the generator's own process, whose work is then measured as the gateway's.
import { fileURLToPath } from 'node:url'
import { type RunningProcess, startProcess } from '../processes.ts'

/** @param what a way of load-tests/shadow/origin.ts. @returns ready with its URL */
export function startSide(what: string): Promise<RunningProcess<string>> {
  return startProcess({
    name: `side (${what})`,
    args: [fileURLToPath(new URL('../shadow/origin.ts', import.meta.url)), what],
    ready: (line) => /^origin listening on (http:\/\/\S+)$/.exec(line)?.[1],
  })
}
