// `npm run load-test -- cutover`: its options are read, it runs, its report is written and printed.
// The danger it guards against: an exit code that says less than the report.
import { cutover } from './cutover.ts'
import { help, readOptions } from './options.ts'
import { writeReport } from './print.ts'
import { renderReport } from './report.ts'
import type { Scenario } from './scenario.ts'

export const cutoverScenario: Scenario = {
  name: 'cutover',
  summary: `moves the route "search" to its service and back while requests come in, and proves from the
              ledgers of all sides that none was lost, doubled or answered by the wrong one`,
  help,
  async run(args, signal) {
    const { plan, json } = readOptions(args, Date.now())
    console.log(`cutover at ${plan.ratePerSecond} requests/s for ${plan.seconds} s, seed ${plan.seed}`)
    const report = await cutover({ ...plan, say: console.log }, signal)
    await writeReport(json, report)
    console.log(renderReport(report))
    console.log(`\nreport in ${json}`)
    return report.exitCode
  },
}
