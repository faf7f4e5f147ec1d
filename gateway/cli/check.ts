// banyan check: all Problems of a routes.yaml, before a gateway meets it.
// The danger it guards against: a mistake that is found in production.
import { formatProblems } from '../config/problems.ts'
import type { Problem } from '../model.ts'
import { type Command, configOption, type Given, jsonOption, type World } from './command.ts'
import { configFileOf, readConfig } from './file.ts'

export const check: Command = {
  name: 'check',
  operands: '[FILE]',
  count: [0, 1],
  summary: 'Checks a configuration: all problems at once, each with line, column and remedy.',
  options: { config: configOption, json: jsonOption },
  run,
}

async function run(given: Given, world: World): Promise<number> {
  const file = given.operands[0] ?? configFileOf(given, world)
  const { problems, declaration } = await readConfig(file, world)
  if (given.isJson) {
    const routes = declaration?.routes.length
    world.print(JSON.stringify({ ok: declaration !== undefined, file, hash: declaration?.hash, routes, problems }))
  } else {
    if (problems.length > 0) world.print(formatProblems(file, problems))
    world.print(
      declaration
        ? `${file}: ${countOf(declaration.routes.length, 'route')}, ${countOf(declaration.upstreams.size, 'upstream')}, ${summaryOf(problems)}`
        : summaryOf(problems),
    )
  }
  return declaration ? 0 : 1
}

export function summaryOf(problems: readonly Problem[]): string {
  const errors = problems.filter(({ severity }) => severity === 'error').length
  const warnings = problems.length - errors
  if (errors > 0) return countOf(errors, 'problem')
  return warnings > 0 ? `no problems, ${countOf(warnings, 'warning')}` : 'no problems'
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
