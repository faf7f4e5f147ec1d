// `npm run load-test -- chaos`: its options are read, its parts run one after another, its report is written and printed.
// The danger it guards against: an exit code that says less than the report.
import { writeReport } from '../print.ts'
import type { Scenario } from '../scenario.ts'
import { runBusy } from './always503.ts'
import { runCache } from './cache.ts'
import { runDead } from './dead.ts'
import { startGateway } from './gateway.ts'
import { runMatrix } from './matrix.ts'
import { type ChaosPlan, help, type Part, readOptions } from './plan.ts'
import { runResets } from './resets.ts'
import { judgeBusy, judgeCache, judgeDead, judgeMatrix, judgeResets, type Verdict } from './verdict.ts'

const busyPerKind = 100

interface PartReport extends Verdict {
  readonly part: Part
  readonly measured: object
}

export const chaosScenario: Scenario = {
  name: 'chaos',
  summary: `lets the new side of a move fail in every way, and shows who answers then, that nothing runs twice,
              and that neither a dead service nor a dead Redis is felt`,
  help,
  async run(args, signal) {
    const { plan, json } = readOptions(args, Date.now())
    console.log(`chaos: ${plan.parts.join(', ')}; seed ${plan.seed}`)
    const reports: PartReport[] = []
    for (const part of plan.parts) {
      signal.throwIfAborted()
      const report = await runs[part](plan, signal)
      reports.push({ part, ...report })
      console.log(`\n${render(part, report)}`)
    }
    await writeReport(json, { settings: plan, reports })
    console.log(`\nreport in ${json}`)
    return exitCodeOf(reports)
  },
}

type Run = (plan: ChaosPlan, signal: AbortSignal) => Promise<Omit<PartReport, 'part'>>

const runs: Readonly<Record<Part, Run>> = {
  async matrix() {
    const measured = await runMatrix(startGateway)
    return { ...judgeMatrix(measured), measured }
  },
  async resets(plan) {
    const measured = await runResets(plan, startGateway)
    return { ...judgeResets(measured), measured }
  },
  async busy() {
    const measured = await runBusy(busyPerKind, startGateway)
    return { ...judgeBusy(measured), measured }
  },
  async dead(plan, signal) {
    const measured = await runDead({ ...plan, say: console.log }, startGateway, signal)
    return { ...judgeDead(measured), measured }
  },
  async cache(plan, signal) {
    const measured = await runCache({ ...plan, say: console.log }, startGateway, signal)
    return { ...judgeCache(measured), measured }
  },
}

function exitCodeOf(reports: readonly Verdict[]): number {
  const has = (result: Verdict['result']) => reports.some((report) => report.result === result)
  return has('failed') ? 1 : has('inconclusive') ? 3 : 0
}

function render(part: Part, { result, figures, reasons }: Verdict): string {
  return [`${result.toUpperCase()}: ${part}`, ...[...figures, ...reasons].map((line) => `  ${line}`)].join('\n')
}
