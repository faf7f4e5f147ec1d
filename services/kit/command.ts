// A system as a process: its arguments, its one line when it listens, its end on a signal.
// The danger it guards against: a process that takes a mistyped option for none, or that outlives its signal.
import { parseArgs } from 'node:util'
import type { Running } from './server.ts'
import { readTrust, type Trust } from './verifier.ts'
import type { ServiceName } from './visit.ts'

export interface Arguments {
  readonly port: number
  readonly host: string
  /** The options of that one system, by name. */
  readonly own: Readonly<Record<string, string>>
  /** Whose tokens are taken; absent: all may ask. */
  readonly trust?: Trust
}

interface Command {
  readonly service: ServiceName
  readonly defaultPort: number
  /** Names of options with a value, beside --port and --host. */
  readonly own?: readonly string[]
  /** Whether --issuers and --audience (by default the service's own name) are options of it. */
  readonly mayTrust?: boolean
  start(given: Arguments): Promise<Running>
}

/** Runs until SIGTERM or SIGINT, then exits 0; exits 2 on wrong arguments and 1 when it cannot start. */
export async function runCommand(command: Command): Promise<void> {
  const given = readArguments(command)
  const starting = command.start(given)
  // Before it listens: a signal that comes meanwhile would leave behind what the start has made.
  const stop = async () => {
    await (await starting).stop()
    process.exit(0)
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  const { url } = await starting.catch((error: Error) => fail(1, `${command.service}: ${error.message}`))
  process.stdout.write(`${command.service} listening on ${url}\n`)
}

function readArguments({ service, defaultPort, own = [], mayTrust = false }: Command): Arguments {
  const names = ['port', 'host', ...own, ...(mayTrust ? ['issuers', 'audience'] : [])]
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  try {
    const given = parseArgs({ options, strict: true }).values as Record<string, string>
    const { port = String(defaultPort), host = '127.0.0.1', issuers, audience, ...rest } = given
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Error('--port must be from 0 to 65535')
    if (audience !== undefined && issuers === undefined) throw new Error('--audience needs --issuers')
    const trust = issuers === undefined ? undefined : readTrust(issuers, audience ?? service)
    return { port: Number(port), host, own: rest, ...(trust && { trust }) }
  } catch (error) {
    return fail(2, `${service}: ${(error as Error).message}`)
  }
}

function fail(code: number, message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(code)
}
