// banyan why: what happened to one request, from the log.
// The danger it guards against: an operator who guesses which side answered.
import { createReadStream } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type FailureCode, failures } from '../errors.ts'
import type { CoreSettings } from '../model.ts'
import { type Command, configOption, type Given, jsonOption, UsageError, type World } from './command.ts'
import { configFileOf, isFileFault, settingOf } from './file.ts'
import { type LogLine, linesAbout } from './logLines.ts'
import { table } from './table.ts'

/** Clients choose ids, and may use one for ever. */
const mostShown = 100
const readBytes = 1024 * 1024

export const why: Command = {
  name: 'why',
  operands: 'REQUEST_ID',
  count: [1, 1],
  summary: 'Finds a request in the access log: which side answered it, under which revision, and why.',
  options: {
    log: { type: 'string', value: 'FILE', help: "the log, - for stdin; else the configuration's accessLog.file" },
    config: configOption,
    json: jsonOption,
  },
  run,
}

async function run(given: Given, world: World): Promise<number> {
  const [id = ''] = given.operands
  const log = given.value('log') ?? (await logOf(id, given, world))
  let found: readonly LogLine[]
  try {
    found = await findLines(id, log === '-' ? world.stdin : createReadStream(log, { highWaterMark: readBytes }))
  } catch (thrown) {
    if (!isFileFault(thrown)) throw thrown
    world.complain(`the log cannot be read: ${thrown.message}`)
    return 1
  }
  if (given.isJson) world.print(JSON.stringify(found.map((line) => ({ ...line, because: becauseOf(line) }))))
  else if (found.length > 0) world.print(found.map(textOf).join('\n\n'))
  else world.complain(notFound(id, log))
  return found.length > 0 ? 0 : 1
}

/** The newest ones, oldest first. */
async function findLines(id: string, source: AsyncIterable<Buffer>): Promise<readonly LogLine[]> {
  const found: LogLine[] = []
  for await (const line of linesAbout(id, source)) if (found.push(line) > mostShown) found.shift()
  return found
}

function notFound(id: string, log: string): string {
  if (log === '-') return `request ${id} is not in the log`
  return `request ${id} is not in ${log}; of rotated logs: zcat -f ${log}.* | banyan why ${id} --log -`
}

async function logOf(id: string, given: Given, world: World): Promise<string> {
  const file = configFileOf(given, world)
  const accessLog = await settingOf<CoreSettings['accessLog']>(file, 'accessLog', world)
  if (accessLog === undefined) throw new UsageError(`${file} does not say where the log is; give --log FILE`)
  if (accessLog === 'off') throw new UsageError(`accessLog is off in ${file}, so no request is logged; give --log FILE`)
  if (accessLog === 'stdout') {
    throw new UsageError(`the access log goes to the gateway's stdout; pipe it in: … | banyan why ${id} --log -`)
  }
  return resolve(dirname(file), accessLog.file)
}

/** Why that side answered, as a sentence. */
function becauseOf(line: LogLine): string {
  const { route, stage, side, upstream, by, failure, fallback, effective = stage } = line
  if (failure !== undefined) return failureSentence(failure, upstream)
  if (fallback !== undefined) return `the new side had no answer (${fallback}), and ${upstream} answered in its place`
  if (by === 'cache') return 'the cache had the answer'
  if (effective === undefined) return route === 'unmatched' ? 'no route names it' : `route ${route} does not move`
  if (side === undefined) return 'the gateway answered itself'
  const due = /^(live|final)/.test(effective) ? 'new' : 'old'
  const stands = `route ${route} ${standsAt(line)}`
  if (side === due || effective.startsWith('canary')) return `${stands}, and ${upstream} is its ${side} side`
  return `${stands}, and yet ${upstream} answered, its ${side} side: a tester's word, a holdback or a write sent it there`
}

/** Where it stood for this request, and what had decided that (`banyan history` knows who, and for what reason). */
function standsAt({ route, stage, effective = stage, why = 'file' }: LogLine): string {
  return why === 'file'
    ? `stood at ${effective}`
    : `stood at ${effective} (${why}: banyan history ${route}; the file says ${stage})`
}

function failureSentence(code: string, upstream: string | undefined): string {
  if (!Object.hasOwn(failures, code)) return code
  const { title, blame } = failures[code as FailureCode]
  const whose = { client: 'the client', gateway: 'the gateway', upstream: upstream ?? 'the upstream' }[blame]
  return `${code}: ${title} To blame: ${whose}`
}

function textOf(line: LogLine): string {
  const { time, method, path, status, durationMs, bodyBytes, outcome } = line
  const rows = [
    ['side', line.side ?? '-', line.upstream ? `upstream ${line.upstream}` : `answered by the ${line.by}`],
    ['revision', String(line.revision ?? '-'), `route ${line.route}${line.stage ? `, ${standsAt(line)}` : ''}`],
  ]
  const more = [
    ['reason', line.reason === undefined ? becauseOf(line) : `${becauseOf(line)} (${line.reason})`],
    ['answer', `${status}, ${bodyBytes} bytes in ${durationMs} ms, ${outcome}`],
    ['client', line.client ?? '-'],
  ]
  return `${table([[`${time}  ${method} ${path}`]])}\n${table(rows, '  ')}\n${table(more, '  ')}`
}
