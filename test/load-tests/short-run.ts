// A cutover as short as it can be, and the command itself.
// The danger it guards against: a run so small that nothing is in it; the tests ask how much there was.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CutoverPlan } from '../../load-tests/plan.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export const unaborted = new AbortController().signal

/** About 150 requests, of which a fault would hit every 25th. @param folder for the gateway's log */
export function shortRun(folder: string, part: Partial<CutoverPlan>): CutoverPlan {
  const logFile = join(folder, 'gateway.log')
  return { ratePerSecond: 75, seconds: 2, seed: 7, throughputSeconds: 0, logFile, say: () => {}, ...part }
}

/** What a busy machine does to the client is no doubt about the gateway. */
export function doubtsOf({ reasons }: { readonly reasons: readonly string[] }): string[] {
  return reasons.filter((reason) => !/did not keep up|had no room or time on this machine/.test(reason))
}

/** `npm run load-test -- ARGS`. @param env of the command, beside ours; its TMPDIR shows what it leaves behind */
export function loadTest(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawn(process.execPath, ['bin/on-node-24.js', 'load-tests/main.ts', ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
