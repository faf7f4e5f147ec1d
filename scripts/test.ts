// `npm test`: lint, types, then every test; the first step that fails is the last one.
// The danger it guards against: a run that looks green because somebody overlooked a step, or read the wrong line.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Step {
  readonly name: string
  /** A program of node_modules/.bin, and its arguments. */
  readonly command: readonly [program: string, ...args: string[]]
}

const folder = mkdtempSync(join(tmpdir(), 'banyan-npm-test-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const tally = join(folder, 'vitest.json')

const steps: readonly Step[] = [
  { name: 'lint', command: ['biome', 'check', '--error-on-warnings', '.'] },
  { name: 'types', command: ['tsc', '--noEmit'] },
  {
    name: 'tests',
    command: ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${tally}`],
  },
]

process.exitCode = await runAll()

async function runAll(): Promise<number> {
  for (const step of steps) {
    const code = await run(step)
    if (step.name === 'tests') console.log(countOf(tally))
    if (code !== 0) return code
  }
  return 0
}

async function run({ name, command: [program, ...args] }: Step): Promise<number> {
  console.log(`\n── ${name}: ${program} ${args.join(' ')}`)
  const startedAt = performance.now()
  const child = spawn(program, args, { stdio: 'inherit' })
  const [code] = (await once(child, 'close')) as [number | null]
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  console.log(code === 0 ? `── ${name} passed in ${seconds} s` : `── ${name} FAILED after ${seconds} s`)
  return code ?? 1
}

/** The last line of the run; a run that could not even count is one failure. */
function countOf(file: string): string {
  try {
    const { numPassedTests, numFailedTests, numFailedTestSuites, success } = JSON.parse(readFileSync(file, 'utf8'))
    const isBrokenOutsideTests = !success && numFailedTests === 0
    return `${numPassedTests} passed, ${isBrokenOutsideTests ? Math.max(1, numFailedTestSuites) : numFailedTests} failed`
  } catch {
    return '0 passed, 1 failed'
  }
}
