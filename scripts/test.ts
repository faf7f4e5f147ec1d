// `npm test`: lint, types, then every test; the first step that fails is the last one.
// The danger it guards against: a run that looks green because somebody overlooked a step, or read the wrong line.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram, installMissing } from '../load-tests/bench/programs.ts'

interface Step {
  readonly name: string
  /** A program of node_modules/.bin, and its arguments. */
  readonly command: readonly [program: string, ...args: string[]]
}

const folder = mkdtempSync(join(tmpdir(), 'banyan-npm-test-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const tally = join(folder, 'vitest.json')

const tests: Step = {
  name: 'tests',
  command: ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${tally}`],
}
const steps: readonly Step[] = [
  { name: 'lint', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  tests,
]

let child: ChildProcess | undefined
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child?.kill(signal))

process.exitCode = await runAll()

async function runAll(): Promise<number> {
  for (const step of steps) {
    if (step === tests) provide('redis-server')
    const code = await run(step)
    if (step === tests) return concludeWith(code)
    if (code !== 0) return code
  }
  return 0
}

/** What tests need of Debian. Without it they fail rather than be left out. */
function provide(program: string): void {
  installMissing([program], console.log)
  if (findProgram(program)) return
  console.log(`${program} is missing, so tests will fail; root installs it: apt-get install ${program}`)
}

/** Writes the last line of the run. @returns the exit code: never 0 when the count says otherwise */
function concludeWith(code: number): number {
  const { passed, failed } = countOf(tally)
  console.log(`${passed} passed, ${failed} failed`)
  return code === 0 && failed > 0 ? 1 : code
}

async function run({ name, command: [program, ...args] }: Step): Promise<number> {
  console.log(`\n── ${name}: ${program} ${args.join(' ')}`)
  const startedAt = performance.now()
  child = spawn(program, args, { stdio: 'inherit' })
  const [code] = (await once(child, 'close').catch(() => [undefined])) as [number | null | undefined]
  if (code === undefined) console.log(`${program} cannot be run: npm ci installs it`)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(code === 0 ? `── ${name} passed in ${seconds} s` : `── ${name} FAILED after ${seconds} s`)
  return code ?? 1
}

/** A run that could not even load a file, or count, has failed once at least. */
function countOf(file: string): { passed: number; failed: number } {
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites, success } = JSON.parse(readFileSync(file, 'utf8'))
    const isBrokenOutsideTests = !success && numFailedTests === 0
    return { passed: numPassedTests, failed: isBrokenOutsideTests ? Math.max(1, numFailedTestSuites) : numFailedTests }
  } catch {
    return { passed: 0, failed: 1 }
  }
}
