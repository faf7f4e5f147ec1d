// `npm run load-test -- shadow`: its options are read, it runs, its report is written and printed.
// The danger it guards against: an exit code that says less than the report.
import { writeReport } from '../print.ts'
import type { Scenario } from '../scenario.ts'
import { help, readOptions } from './plan.ts'
import { type CandidateReport, shadow } from './run.ts'

const mebibyte = 1024 * 1024

export const shadowScenario: Scenario = {
  name: 'shadow',
  summary: `asks a candidate that hangs, floods or answers 100 MB beside the clients' own requests, and shows
              that they do not feel it`,
  help,
  async run(args, signal) {
    const { plan, json } = readOptions(args, Date.now())
    const { rounds, ratePerSecond, seconds, seed } = plan
    console.log(`shadow: ${rounds} rounds of 3 × ${seconds} s at ${ratePerSecond} requests/s, seed ${seed}`)
    const reports = await shadow({ ...plan, say: console.log }, signal)
    await writeReport(json, { settings: plan, reports })
    for (const report of reports) console.log(`\n${render(report)}`)
    console.log(`\nreport in ${json}`)
    return exitCodeOf(reports)
  },
}

function exitCodeOf(reports: readonly CandidateReport[]): number {
  const has = (result: CandidateReport['result']) => reports.some((report) => report.result === result)
  return has('failed') ? 1 : has('inconclusive') ? 3 : 0
}

function render(report: CandidateReport): string {
  const { candidate, result, reasons, differenceMs, spreadMs, growth, requests, compared, notCompared } = report
  const left = Object.entries(notCompared).map(([why, count]) => `${why} ${count}`)
  return [
    `${result.toUpperCase()}: candidate ${candidate}, ${requests} requests`,
    `  p99        on against off ${differenceMs.toFixed(2)} ms, off against off ${spreadMs.toFixed(2)} ms (medians; allowed: that plus 1 ms)`,
    `  memory     peak above the start: on ${inMib(growth.on)}, off ${inMib(growth.off)}`,
    `  legs       compared ${compared}; not compared: ${left.join(', ') || 'none'}`,
    ...reasons.map((reason) => `  ${reason}`),
  ].join('\n')
}

const inMib = (bytes: number) => `${(bytes / mebibyte).toFixed(0)} MiB`
