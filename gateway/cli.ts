// The `banyan` command: one file per subcommand under cli/, one line per subcommand here.
// The danger it guards against: a script that cannot tell a "no" from a mistyped command or a gateway that is away.

import { admin } from './cli/adminToken.ts'
import { audit } from './cli/audit.ts'
import { cache } from './cli/cache.ts'
import { check } from './cli/check.ts'
import { type Command, helpOf, helpOfExitCodes, parse, UsageError, type World } from './cli/command.ts'
import { diff } from './cli/diff.ts'
import { explain } from './cli/explain.ts'
import { history } from './cli/history.ts'
import { keys } from './cli/keys.ts'
import { ack, pause, resume } from './cli/order.ts'
import { plan } from './cli/plan.ts'
import { promote } from './cli/promote.ts'
import { rollback } from './cli/rollback.ts'
import { run } from './cli/run.ts'
import { status } from './cli/status.ts'
import { table } from './cli/table.ts'
import { tester } from './cli/tester.ts'
import { why } from './cli/why.ts'
import { suggest } from './config/nearest.ts'
import { filters } from './filters.ts'
import { version } from './version.ts'

/** As `--help` lists them. */
export const commands: readonly Command[] = [
  ...[run, check, explain, status, why, cache],
  ...[plan, promote, rollback, pause, resume, ack, history, diff, tester, keys, audit, admin],
]

/** @param argv without node and the script. @returns the exit code, as `--help` lists them */
export async function main(argv: readonly string[]): Promise<number> {
  // A reader that has seen enough (`banyan why … | head`) is no fault of ours.
  process.stdout.on('error', () => {})
  const world = ourWorld()
  try {
    return await obey(argv, world)
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown
    world.complain(`banyan: ${thrown.message}`)
    return 2
  }
}

async function obey([name, ...args]: readonly string[], world: World): Promise<number> {
  const text = answerAtOnce(name)
  if (text === undefined) {
    const command = commandOf(name)
    const given = parse(command, args)
    if (given !== 'help') return command.run(given, world)
    world.print(helpOf(command))
  } else world.print(text)
  return 0
}

function answerAtOnce(word: string | undefined): string | undefined {
  if (word === '--version') return version
  return word === '--help' || word === '-h' || word === 'help' ? helpOfAll() : undefined
}

function commandOf(name: string | undefined): Command {
  const command = commands.find((known) => known.name === name)
  if (command) return command
  const names = commands.map((known) => known.name)
  if (name === undefined) throw new UsageError(`say what to do: ${names.join(', ')}; banyan --help says more`)
  throw new UsageError(`unknown command "${name}"${suggest(name, names) || `; the commands are ${names.join(', ')}`}`)
}

function helpOfAll(): string {
  const rows = commands.map(({ name, operands, summary }) => [`${name} ${operands}`.trim(), summary])
  const usage = 'banyan COMMAND [options]\n\nA gateway that moves one path of a monolith at a time.\n'
  return `${usage}\n${table(rows, '  ')}\n\nbanyan COMMAND --help says more of one.\n\n${helpOfExitCodes()}`
}

function ourWorld(): World {
  return {
    env: process.env,
    kinds: filters,
    version,
    stdin: process.stdin,
    isTerminal: process.stdout.isTTY,
    print: (text) => process.stdout.write(`${text}\n`),
    complain: (text) => process.stderr.write(`${text}\n`),
    async runGateway(configFile) {
      const { runGateway } = await import('./run.ts')
      return runGateway({ configFile, env: process.env })
    },
  }
}
