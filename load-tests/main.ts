// `npm run load-test -- SCENARIO …`: finds the scenario and runs it.
// The danger it guards against: a mistyped name that runs nothing and exits 0.
import { UsageError } from './arguments.ts'
import { scenarios } from './scenarios.ts'

const unmeasured = 2

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`load-test: ${error instanceof Error ? error.message : String(error)}`)
  if (error instanceof UsageError) console.error('load-test --help says more')
  return unmeasured
})

async function main([name, ...args]: readonly string[]): Promise<number> {
  const scenario = scenarios.find((one) => one.name === name)
  if ([name, ...args].some((word) => word === '--help' || word === '-h')) {
    console.log(scenario?.help ?? listOfAll())
    return 0
  }
  const names = scenarios.map((one) => one.name).join(', ')
  if (!scenario) throw new UsageError(`say which scenario: ${names}${name ? `; not "${name}"` : ''}`)
  return scenario.run(args, endRequested())
}

function listOfAll(): string {
  const lines = scenarios.map(({ name, summary }) => `  ${name.padEnd(12)}${summary}`)
  return ['load-test SCENARIO [options]', '', ...lines, '', 'load-test SCENARIO --help lists its options.'].join('\n')
}

/** Ctrl-C ends the run in order: what was started is stopped, what was changed is put back. */
function endRequested(): AbortSignal {
  const controller = new AbortController()
  const end = () => controller.abort(new Error('interrupted'))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  return controller.signal
}
