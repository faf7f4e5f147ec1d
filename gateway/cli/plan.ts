// banyan plan: what an edit of routes.yaml would do, against what the running gateway serves and is asked now.
// The danger it guards against: an edit whose effect is first seen by clients.
import { readFile } from 'node:fs/promises'
import { formatProblems } from '../config/problems.ts'
import type { Plan } from '../ops/plan.ts'
import type { MovePlan } from '../ops/planMoves.ts'
import { asking, askingOptions, refuse } from './askAdmin.ts'
import type { Command } from './command.ts'
import { configFileOf, isFileFault } from './file.ts'
import { standingText } from './order.ts'
import { table } from './table.ts'

export const plan: Command = {
  name: 'plan',
  operands: '[FILE]',
  count: [0, 1],
  summary: 'Tells what serving this file instead would change and move. Exits 1 when the gateway would refuse it.',
  options: askingOptions,
  run: asking(async (ask, { given, world }) => {
    const file = given.operands[0] ?? configFileOf(given, world)
    const text = await readFile(file, 'utf8').catch((thrown: unknown) => thrown)
    if (typeof text !== 'string') {
      if (!isFileFault(text)) throw text
      world.complain(`${file} cannot be read: ${text.message}`)
      return 1
    }
    const answered = await ask.post<Plan>('/plan', text)
    if (!answered.ok) return refuse(answered, { given, world })
    world.print(given.isJson ? JSON.stringify(answered.body) : textOf(answered.body, file))
    return answered.body.accepted ? 0 : 1
  }),
}

function textOf({ problems, difference, moves, warnings, accepted, revision }: Plan, file: string): string {
  const routes = difference && [
    ...difference.added.map((name) => ['+', name, 'new']),
    ...difference.removed.map((name) => ['-', name, 'gone']),
    ...difference.changed.map(({ name, keys }) => ['~', name, keys.join(', ')]),
    ...difference.otherKeys.map((key) => ['~', key, '']),
  ]
  const parts = [
    problems.length > 0 ? formatProblems(file, problems) : '',
    routes && routes.length > 0 ? table(routes) : '',
    ...moves.map(moveText),
    warnings.map((warning) => `warning: ${warning}`).join('\n'),
  ].filter((part) => part !== '')
  const isSame = routes?.length === 0 && moves.length === 0
  const last = !accepted
    ? 'the gateway would refuse this file'
    : isSame
      ? `nothing changes: revision ${revision} says the same`
      : `the gateway would take this file in place of revision ${revision}`
  return [...parts, last].join('\n\n')
}

function moveText(move: MovePlan): string {
  const { key, routes, from, to, requestsPerMinute, movedPerMinute, writesMovedPerMinute, rollback } = move
  const direction = movedPerMinute < 0 ? 'back to the old side' : 'to the new side'
  const rows = [
    ['requests', `${requestsPerMinute}/min now; about ${Math.abs(movedPerMinute)}/min move ${direction}`],
    writesMovedPerMinute === 0 ? [] : ['writes', `about ${Math.abs(writesMovedPerMinute)}/min of them`],
    ...rollback.map(({ upstream, returns, after, most }) => [
      'rollback',
      `would return ${returns}/min to ${upstream}: ${after}/min then; its most in a minute of the last hour is ${most}`,
    ]),
    'secondsToVerdict' in move ? ['verdict', verdictText(move.secondsToVerdict)] : [],
  ].filter((row) => row.length > 0)
  const members = routes.length === 1 && routes[0] === key ? '' : ` (${routes.join(', ')})`
  const [before, after] = [from ? standingText(from) : 'new', to ? standingText(to) : 'gone']
  return `${key}${members}: ${before} → ${after}\n${table(rows, '  ')}`
}

function verdictText(seconds: number | null | undefined): string {
  if (typeof seconds !== 'number') return "never at today's rate: too few requests in an hour"
  return `after ${seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`} at today's rate`
}
