// `npm run bench -- proxy …`: finds or installs what is needed, measures, prints a table per scenario and writes the rows.
// The danger it guards against: a long run of which nothing is left when it is interrupted. Rows are written as they come.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contestants } from './contestants.ts'
import { shareCores } from './cores.ts'
import { leanLoop, wrkLoop } from './load.ts'
import { help, type Options, readOptions, UsageError } from './options.ts'
import { type Origin, startLeanOrigin, startNginxOrigin } from './origin.ts'
import { findProgram, installMissing } from './programs.ts'
import { measureAll, type Row, type RunPlan } from './run.ts'
import { renderTable } from './table.ts'

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
  if (error instanceof UsageError) console.error('bench --help says more')
  return 2
})

async function main([subject, ...args]: readonly string[]): Promise<number> {
  if (subject === '--help' || subject === '-h' || args.includes('--help') || args.includes('-h')) {
    console.log(help)
    return 0
  }
  if (subject !== 'proxy') throw new UsageError(`say what: proxy${subject ? `, not "${subject}"` : ''}`)
  const options = readOptions(args)
  if (process.platform !== 'linux') throw new Error('needs Linux: CPU and memory are read from /proc')
  const folder = mkdtempSync(join(tmpdir(), 'banyan-bench-'))
  chmodSync(folder, 0o755)
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  // What is under way is ended by the `exit` listeners, here and of the servers.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
  return bench(options, folder)
}

async function bench(options: Options, folder: string): Promise<number> {
  const chosen = contestants.filter(({ name }) => options.proxies.includes(name))
  installMissing(['wrk', 'nginx', ...chosen.flatMap(({ needs }) => needs ?? [])], console.log)
  const present = chosen.filter(({ needs }) => needs === undefined || findProgram(needs) !== undefined)
  for (const { name } of chosen.filter((one) => !present.includes(one))) {
    console.log(`missing: ${name} is not installed, and only root can install it (apt-get install ${name})`)
  }
  const cores = shareCores()
  const wrk = findProgram('wrk')
  const origin = await startOrigin(folder)
  console.log(`${cores.note}; origin: ${origin.name}; load: ${wrk === undefined ? 'lean client' : 'wrk'}`)
  const loop = wrk === undefined ? leanLoop : wrkLoop(wrk, folder)
  const { proxyPrefix } = cores
  try {
    return await report(options, {
      bench: { loop, originPort: origin.port, proxyPrefix, folder, random: Math.random },
      contestants: present,
      ...options,
    })
  } finally {
    await origin.stop()
  }
}

async function startOrigin(folder: string): Promise<Origin> {
  const nginx = findProgram('nginx')
  if (nginx === undefined) return startLeanOrigin()
  const own = join(folder, 'origin')
  await mkdir(own)
  return startNginxOrigin(nginx, own)
}

/** @returns the exit code */
async function report({ json }: Options, plan: RunPlan): Promise<number> {
  const rows: Row[] = []
  for (const scenario of plan.scenarios) {
    console.log(`\n${scenario.name}: ${scenario.title}; ${plan.rounds} rounds of ${plan.seconds} s`)
    const own: Row[] = []
    for await (const row of measureAll({ ...plan, scenarios: [scenario] })) {
      own.push(row)
      rows.push(row)
      if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, undefined, 2)}\n`)
    }
    console.log(renderTable(own))
  }
  return rows.some((row) => 'failure' in row) ? 1 : 0
}
