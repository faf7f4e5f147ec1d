// Golden files: what its writer is told about a routes.yaml. Each case is a file: the input, a line `---`, what comes of it.
// `# env: NAME=value …` in the first line is its environment. UPDATE_CASES=1 writes what comes now: read the diff.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { formatProblems } from '../../gateway/config/problems.ts'
import { read } from '../../gateway/config/read.ts'
import { kinds } from './kinds.ts'
import { summarise } from './summary.ts'

const folder = join(import.meta.dirname, 'cases')
const separator = '\n---\n'
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'))

describe('a case of routes.yaml', () => {
  test.each(files)('%s', (name) => {
    const path = join(folder, name)
    const [input = '', expected = '', ...more] = readFileSync(path, 'utf8').split(separator)
    const env = environmentOf(input)
    const told = tell(`${input}\n`, env)
    if (process.env.UPDATE_CASES) writeFileSync(path, `${input}${separator}${told}\n`)
    else expect(`${told}\n`).toBe(expected)
    expect(more).toEqual([])
    expect(secretsIn(told, env)).toEqual([])
  })

  test('is one of at least sixty', () => {
    expect(files.length).toBeGreaterThanOrEqual(60)
  })
})

function tell(text: string, env: Record<string, string>): string {
  const { problems, declaration } = read({ file: '/etc/banyan/routes.yaml', text }, kinds, env)
  const summary = declaration ? [summarise(declaration)] : []
  return [...(problems.length > 0 ? [formatProblems('routes.yaml', problems)] : []), ...summary].join('\n')
}

function environmentOf(input: string): Record<string, string> {
  const [, pairs = ''] = /^# env: (.*)/.exec(input) ?? []
  return Object.fromEntries(pairs.split(' ').flatMap((pair) => (pair.includes('=') ? [pair.split('=', 2)] : [])))
}

/** Values that must be in no Problem; a summary shows what they do. */
function secretsIn(told: string, env: Record<string, string>): string[] {
  return told.includes('accepted') ? [] : Object.values(env).filter((value) => value !== '' && told.includes(value))
}
