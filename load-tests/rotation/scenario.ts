// `npm run load-test -- rotate-keys`: its options are read, it runs, its report is written and printed.
// The danger it guards against: an exit code that says less than the report.
import { shownIds, writeReport } from '../print.ts'
import type { Scenario } from '../scenario.ts'
import { exitCodes } from '../verdict.ts'
import { help, readOptions } from './plan.ts'
import { type Measured, runRotations } from './run.ts'
import { verdictOf } from './verdict.ts'

export const rotateKeysScenario: Scenario = {
  name: 'rotate-keys',
  summary: `rotates keys of clients, of an issuer and of the gateway, a pepper and an upstream's secret under load, and
              shows that nobody is refused who should pass, and nobody passes who should be refused`,
  help,
  async run(args, signal) {
    const { plan, json } = readOptions(args, Date.now())
    const { ratePerSecond, seconds, seed } = plan
    console.log(
      `rotate-keys at ${ratePerSecond} requests/s for ${seconds} s, seed ${seed}; "not ok" are those with what has ended`,
    )
    const startedAt = new Date().toISOString()
    const measured = await runRotations({ ...plan, say: console.log }, signal)
    const judged = verdictOf(measured)
    const exitCode = exitCodes[judged.verdict]
    await writeReport(json, { ...judged, exitCode, startedAt, settings: plan, measured })
    console.log(render(measured, judged))
    console.log(`\nreport in ${json}`)
    return exitCode
  },
}

function render(measured: Measured, { verdict, reasons }: ReturnType<typeof verdictOf>): string {
  const { tally, rotations, requests, latencyMs, lagP99Ms, connections } = measured
  const ended = Object.entries(tally.ended).map(([how, { sent, passed, odd, takenForMs }]) => {
    const late =
      takenForMs === undefined ? 'never taken after its end' : `last taken ${Math.round(takenForMs)} ms after`
    return `  ${how.padEnd(26)}${sent} sent after the bound, ${passed} passed, ${odd} odd; ${late}`
  })
  const sum = (what: 'sent' | 'passed') => Object.values(tally.ended).reduce((total, one) => total + one[what], 0)
  const ids = [...tally.refused, ...tally.wrong].slice(0, shownIds)
  return [
    `rotated     ${Object.entries(rotations)
      .map(([what, count]) => `${what} ${count}`)
      .join(', ')}`,
    ...ended,
    `latency     p50 ${latencyMs?.p50.toFixed(1) ?? '–'}, p99 ${latencyMs?.p99.toFixed(1) ?? '–'} ms; sent p99 ${lagP99Ms.toFixed(1)} ms late; ${connections} connections`,
    '',
    `${verdict.toUpperCase()}: ${requests} requests; of ${tally.good} with what was good ${tally.refused.length} were refused, of ${sum('sent')} with what was not ${sum('passed')} passed`,
    ...reasons.map((reason) => `  ${reason}`),
    ...ids.map(
      ({ id, visitor = 'vault', status, outcome, why }) => `  ${id} (${visitor}): ${status} ${outcome} ${why ?? ''}`,
    ),
  ].join('\n')
}
