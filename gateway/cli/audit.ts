// banyan audit: whether the audit is what was written, and the heads that prove it later.
// The danger it guards against: history that somebody has made over, and a check of the wrong folder that says all is well.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { defaultStateDir, stateDirOf } from '../config/settings.ts'
import type { AuditHeads } from '../ops/auditPages.ts'
import { isHead } from '../state/auditRead.ts'
import type { Head } from '../state/auditRecord.ts'
import { type AuditVerdict, type ChainVerdict, verifyAudit } from '../state/auditVerify.ts'
import { asking, askingOptions, tell } from './askAdmin.ts'
import { type Command, type Given, UsageError, type World } from './command.ts'
import { configFileOf, isFileFault, settingOf } from './file.ts'
import { table } from './table.ts'

export const audit: Command = {
  name: 'audit',
  operands: 'verify | heads',
  count: [1, 1],
  summary:
    'verify: checks each chain of the audit on this disk, link by link. heads: where they stand, to be kept elsewhere.',
  options: {
    dir: { type: 'string', value: 'FOLDER', help: "verify: the stateDir, or a copy of it; else the configuration's" },
    heads: {
      type: 'string',
      value: 'FILE',
      help: 'verify: what "banyan audit heads --json" has said before; a cut end shows against it',
    },
    ...askingOptions,
  },
  run: (given, world) => {
    const [what] = given.operands
    if (what === 'heads') return listHeads(given, world)
    if (what === 'verify') return verify(given, world)
    throw new UsageError(`banyan audit takes verify or heads, not ${what}`)
  },
}

const listHeads = asking(async (ask, telling) =>
  tell(await ask.get<AuditHeads>('/audit/heads'), telling, ({ heads }) =>
    table([['WRITER', 'RECORDS', 'HEAD'], ...heads.map(({ writer, seq, hash }) => [writer, String(seq), hash])]),
  ),
)

async function verify(given: Given, world: World): Promise<number> {
  const known = await knownHeads(given.value('heads'))
  const stateDir = await stateDirFor(given, world)
  let verdict: AuditVerdict
  try {
    verdict = await verifyAudit(stateDir, known)
  } catch (thrown) {
    if (!isFileFault(thrown)) throw thrown
    world.complain(`the audit cannot be read: ${thrown.message}`)
    return 1
  }
  const { writers } = verdict
  const isSound = verdict.ok && writers.length > 0
  if (given.isJson) world.print(JSON.stringify({ ok: isSound, stateDir, writers }))
  else if (writers.length > 0) world.print(`${table([heads, ...writers.map(rowOf)])}\n\n${summaryOf(verdict, known)}`)
  if (writers.length === 0) world.complain(`there is no audit in ${stateDir}`)
  return isSound ? 0 : 1
}

const heads = ['WRITER', 'SOUND RECORDS', 'HEAD', 'LINKS']

function rowOf({ writer, records, head, brokenAt, why, tornBytes }: ChainVerdict): readonly string[] {
  const torn = tornBytes === undefined ? '' : `; then ${tornBytes} bytes of a record that was never finished`
  const links = brokenAt === undefined ? `whole${torn}` : `broken at record ${brokenAt}: ${why}`
  return [writer, String(records), head?.hash.slice(0, 12) ?? '-', links]
}

function summaryOf({ ok, writers }: AuditVerdict, known: readonly Head[]): string {
  const broken = writers.filter(({ brokenAt }) => brokenAt !== undefined)
  if (!ok) return `${broken.length} of ${writers.length} chains are not what was written`
  const all = `${writers.length} ${writers.length === 1 ? 'chain is' : 'chains are'} whole`
  return known.length > 0
    ? `${all}, up to the ends that were noted`
    : `${all}; whether the newest end was cut off shows against --heads alone`
}

/** As `heads --json` prints them, or the list alone. */
async function knownHeads(file: string | undefined): Promise<readonly Head[]> {
  if (file === undefined) return []
  const text = await readFile(file, 'utf8').catch((thrown: unknown) => {
    if (isFileFault(thrown)) throw new UsageError(`--heads cannot be read: ${thrown.message}`)
    throw thrown
  })
  const value = parsed(text)
  const found = Array.isArray(value) ? value : (value as { heads?: unknown } | undefined)?.heads
  if (Array.isArray(found) && found.length > 0 && found.every(isHead)) return found
  throw new UsageError(`${file} has no heads: write it with banyan audit heads --json`)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) ?? undefined
  } catch {
    return undefined
  }
}

async function stateDirFor(given: Given, world: World): Promise<string> {
  const dir = given.value('dir')
  if (dir !== undefined) return resolve(dir)
  const file = configFileOf(given, world)
  return stateDirOf(file, (await settingOf<string>(file, 'stateDir', world)) ?? defaultStateDir, world.env)
}
