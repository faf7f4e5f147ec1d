// banyan explain: which Route a request would take and why, what happens on the way, and who answers. From the file alone.
// The danger it guards against: an edit whose effect is first seen in production. It shows no value of the request.

import type { Declaration, DeclaredRoute } from '../config/declaration.ts'
import { formatProblems } from '../config/problems.ts'
import { fieldsOf } from '../message/fields.ts'
import type { Asked } from '../model.ts'
import { createMatcher, type Explanation } from '../routing/matcher.ts'
import { summaryOf } from './check.ts'
import { type Command, configOption, type Given, jsonOption, UsageError, type World } from './command.ts'
import { configFileOf, readConfig } from './file.ts'
import { table } from './table.ts'

export const explain: Command = {
  name: 'explain',
  operands: 'METHOD URL',
  count: [2, 2],
  summary: 'Says which route of the configuration a request takes, why, and what would be done with it.',
  options: {
    header: { type: 'string', short: 'H', multiple: true, value: "'Name: value'", help: 'a field of the request' },
    config: configOption,
    json: jsonOption,
  },
  run,
}

async function run(given: Given, world: World): Promise<number> {
  const asked = askedBy(given)
  const file = configFileOf(given, world)
  const { problems, declaration } = await readConfig(file, world)
  if (!declaration) {
    world.print(
      given.isJson
        ? JSON.stringify({ ok: false, file, problems })
        : `${formatProblems(file, problems)}\n${summaryOf(problems)}`,
    )
    return 1
  }
  const { routes, unmatched, settings } = declaration
  const found = createMatcher(routes, unmatched, settings.paths).explain(asked)
  const answer = answerOf(asked.method, found, declaration)
  world.print(given.isJson ? JSON.stringify({ ok: true, file, ...answer }) : textOf(answer, file))
  return 0
}

function askedBy({ operands, values }: Given): Asked {
  const [method = '', url = ''] = operands
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method)) throw new UsageError('the METHOD is a word such as GET')
  const [, authority, target = ''] = /^(?:https?:\/\/([^/?#]*))?([^#]*)/i.exec(url) ?? []
  if (authority === undefined && !target.startsWith('/')) {
    throw new UsageError('the URL is a path such as /api/search?q=x, or starts with http:// or https://')
  }
  const fields = values('header').flatMap(fieldBy)
  const isHostGiven = fields.some((name, i) => i % 2 === 0 && name.toLowerCase() === 'host')
  if (authority && !isHostGiven) fields.unshift('Host', authority.replace(/^.*@/, ''))
  return { method, target: target.startsWith('/') ? target : `/${target}`, fields: fieldsOf(fields) }
}

function fieldBy(text: string): [string, string] {
  const [, name, value] = /^([^:\s]+):\s*(.*?)\s*$/s.exec(text) ?? []
  if (name === undefined || value === undefined) throw new UsageError("-H takes 'Name: value'")
  return [name, value]
}

function answerOf(method: string, found: Explanation<DeclaredRoute>, { unmatched }: Declaration) {
  const { route, path, because, second, rejected, nearMiss, guardedBy } = found
  const { move, upstream } = route
  return {
    method,
    path,
    route: route.name,
    ...(route !== unmatched && { position: route.position }),
    because,
    ...(move && { stage: move.stage, from: move.from.name, to: move.to.name }),
    upstream: upstream.name,
    origin: upstream.target.origin,
    ...(upstream.targets.length > 1 && { targets: upstream.targets.map(({ origin }) => origin) }),
    ...(move && { side: upstream.name === move.to.name ? 'new' : 'old' }),
    pipeline: route.configured.map(({ name, filter }) => ({ name, does: filter.does })),
    ...(route !== unmatched && { second: (second ?? unmatched).name }),
    ...(nearMiss !== undefined && { nearMiss }),
    ...(guardedBy && { guardedBy: guardedBy.name }),
    rejected: rejected.map(({ route: { name }, because }) => ({ route: name, because })),
  }
}

function textOf(answer: ReturnType<typeof answerOf>, file: string): string {
  const { position, stage, side, nearMiss, guardedBy, second } = answer
  const place = position ? `, ${file}:${position.line}:${position.column}` : ''
  const rows = [
    ['route', `${answer.route}${stage ? ` (${stage})` : ''}${place}`],
    ['because', answer.because],
    ...answer.pipeline.map(({ name, does }, i) => [i === 0 ? 'then' : '', `${name}: ${does}`]),
    [
      'answers',
      `${answer.upstream} at ${answer.targets ? `one of ${answer.targets.join(', ')}` : answer.origin}${side ? `, the ${side} side of the move` : ''}`,
    ],
    ...(second === undefined ? [] : [['second', `${second} would take it without this route`]]),
    ...(nearMiss === undefined ? [] : [['near miss', `a looser reading of the path would meet route ${nearMiss}`]]),
    ...(guardedBy === undefined
      ? []
      : [['guarded', `a looser reading of the path would meet route ${guardedBy}, so its auth applies`]]),
    ...answer.rejected.map(({ route, because }) => ['not', `${route}: ${because}`]),
  ]
  return `${table([[`${answer.method} ${answer.path}`]])}\n${table(rows, '  ')}`
}
