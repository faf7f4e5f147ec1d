// What a subcommand of `banyan` is, and how its arguments are read.
// The danger it guards against: a mistyped option that is silently ignored.
import { parseArgs } from 'node:util'
import { suggest } from '../config/nearest.ts'
import type { FilterKind } from '../filter.ts'
import { table } from './table.ts'

/** 0: yes. 1: the answer is no. 2: the command line is wrong. 3: the gateway cannot be reached, or has not confirmed. */
export type ExitCode = 0 | 1 | 2 | 3

const exitCodes: Readonly<Record<ExitCode, string>> = {
  0: 'done, and nothing is wrong',
  1: 'the answer is no: the file has problems, the request is not in the log, the gateway refused',
  2: 'the command line is wrong',
  3: 'the gateway cannot be reached, or what it did is not certain to last',
}

/** All that a command sees of the world around it. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The filters that the gateway has, to read routes.yaml with. */
  readonly kinds: readonly FilterKind[]
  readonly version: string
  readonly stdin: AsyncIterable<Buffer>
  /** Whether a person reads along. */
  readonly isTerminal: boolean
  print(text: string): void
  complain(text: string): void
  /** Runs the gateway until it has ended. @returns the exit code of the process */
  runGateway(configFile: string): Promise<number>
}

export interface Option {
  readonly type: 'boolean' | 'string'
  readonly short?: string
  readonly multiple?: boolean
  /** What stands for the value in the help: `FILE`. */
  readonly value?: string
  readonly help: string
}

export interface Command {
  readonly name: string
  /** What follows the name on the command line. */
  readonly operands: string
  /** How many operands, at least and at most. */
  readonly count: readonly [least: number, most: number]
  readonly summary: string
  readonly options: Readonly<Record<string, Option>>
  run(given: Given, world: World): Promise<number>
}

/** The arguments of one call, checked. */
export interface Given {
  readonly operands: readonly string[]
  readonly isJson: boolean
  value(option: string): string | undefined
  values(option: string): readonly string[]
}

export class UsageError extends Error {}

export const jsonOption: Option = { type: 'boolean', help: 'answer in JSON, for scripts' }
export const configOption: Option = {
  type: 'string',
  value: 'FILE',
  help: 'the configuration; else $BANYAN_CONFIG, else routes.yaml',
}
const helpOption: Option = { type: 'boolean', short: 'h', help: 'this text' }

/** @returns 'help' when that is what was asked for. @throws UsageError */
export function parse(command: Command, args: readonly string[]): Given | 'help' {
  const options: Record<string, Option> = { ...command.options, help: helpOption }
  // Not strict: node:util would name the mistake, but not what was probably meant.
  const { tokens } = parseArgs({ args: [...args], options: typesOf(options), strict: false, tokens: true })
  const values = new Map<string, string[]>()
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const earlier = values.get(token.name)
    checkOption(token, options, earlier !== undefined)
    values.set(token.name, [...(earlier ?? []), token.value ?? ''])
  }
  if (values.has('help')) return 'help'
  const operands = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []))
  checkCount(command, operands)
  return {
    operands,
    isJson: values.has('json'),
    value: (option) => values.get(option)?.[0],
    values: (option) => values.get(option) ?? [],
  }
}

function typesOf(options: Record<string, Option>) {
  const entries = Object.entries(options)
  return Object.fromEntries(entries.map(([name, { type, short }]) => [name, { type, ...(short && { short }) }]))
}

interface Token {
  readonly name: string
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

function checkOption(token: Token, options: Record<string, Option>, isGivenAlready: boolean): void {
  const { name, rawName, value } = token
  const option = Object.hasOwn(options, name) ? options[name] : undefined
  if (!option) {
    const meant = suggest(name, Object.keys(options)).replace('"', '"--')
    throw new UsageError(`unknown option ${rawName}${meant}`)
  }
  if (option.type === 'string' && isMissing(token)) throw new UsageError(`${rawName} needs a value`)
  if (option.type === 'boolean' && value !== undefined) throw new UsageError(`${rawName} takes no value`)
  if (isGivenAlready && !option.multiple) throw new UsageError(`${rawName} is given twice`)
}

/** Without `=`, what looks like the next option is no value; `-` is stdin. */
function isMissing({ value, inlineValue }: Token): boolean {
  if (value === undefined) return true
  return !inlineValue && value.length > 1 && value.startsWith('-')
}

function checkCount({ name, operands: words, count: [least, most] }: Command, operands: readonly string[]): void {
  if (operands.length >= least && operands.length <= most) return
  const what = words === '' ? 'nothing' : words
  throw new UsageError(`banyan ${name} takes ${what}, not ${operands.length === 0 ? 'nothing' : operands.join(' ')}`)
}

export function helpOf({ name, operands, summary, options }: Command): string {
  const rows = Object.entries({ ...options, help: helpOption }).map(([option, { short, value, help }]) => [
    `${short ? `-${short}, ` : ''}--${option}${value ? ` ${value}` : ''}`,
    help,
  ])
  const usage = ['banyan', name, operands, '[options]'].filter(Boolean).join(' ')
  return `${usage}\n\n${summary}\n\n${table(rows, '  ')}\n\n${helpOfExitCodes()}`
}

export function helpOfExitCodes(): string {
  const lines = Object.entries(exitCodes).map(([code, meaning]) => `  ${code}  ${meaning}`)
  return ['Exit codes:', ...lines].join('\n')
}
