// `npm run load-test -- SCENARIO …`: reads the options, runs the scenario, prints and writes its report.
// The danger it guards against: an exit code that says less than the report.
import { cutover } from './cutover.ts'
import { help, readOptions, UsageError } from './options.ts'
import { renderReport, writeReport } from './report.ts'

const unmeasured = 2

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`load-test: ${error instanceof Error ? error.message : String(error)}`)
  if (error instanceof UsageError) console.error('load-test --help says more')
  return unmeasured
})

async function main([scenario, ...args]: readonly string[]): Promise<number> {
  if (scenario === '--help' || scenario === '-h' || args.includes('--help') || args.includes('-h')) {
    console.log(help)
    return 0
  }
  if (scenario !== 'cutover')
    throw new UsageError(`say which scenario: cutover${scenario ? `, not "${scenario}"` : ''}`)
  const { plan, json } = readOptions(args, Date.now())
  console.log(`cutover at ${plan.ratePerSecond} requests/s for ${plan.seconds} s, seed ${plan.seed}`)
  const report = await cutover({ ...plan, say: console.log }, endRequested())
  await writeReport(json, report)
  console.log(renderReport(report))
  console.log(`\nreport in ${json}`)
  return report.exitCode
}

/** Ctrl-C ends the run in order: what was started is stopped, what was changed is put back. */
function endRequested(): AbortSignal {
  const controller = new AbortController()
  const end = () => controller.abort(new Error('interrupted'))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  return controller.signal
}
