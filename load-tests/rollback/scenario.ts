// `npm run load-test -- rollback`: its options are read, it runs, its report is written and printed.
// The danger it guards against: an exit code that says less than the report.
import { writeReport } from '../print.ts'
import type { Scenario } from '../scenario.ts'
import { help, readOptions } from './options.ts'
import { renderReport } from './report.ts'
import { rollback } from './rollback.ts'

export const rollbackScenario: Scenario = {
  name: 'rollback',
  summary: `lets the new side of the route "search" fail while it answers half of the visitors, and proves that
              the gateway takes it back, in time and for good`,
  help,
  async run(args, signal) {
    const { plan, json } = readOptions(args, Date.now())
    const { fault, ratePerSecond, seconds, seed } = plan
    console.log(`rollback on ${fault} at ${ratePerSecond} requests/s for ${seconds} s, seed ${seed}`)
    const report = await rollback({ ...plan, say: console.log }, signal)
    await writeReport(json, report)
    console.log(renderReport(report))
    console.log(`\nreport in ${json}`)
    return report.exitCode
  },
}
