import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { commands } from '../../gateway/cli.ts'
import { read } from '../../gateway/config/read.ts'
import { filters } from '../../gateway/filters.ts'
import { anchorsOf, blocksOf, callsOf, linksOf, pages, root, spansOf, textOf } from './pages.ts'

/** The yaml of a page is only a part of a file; the rest is this. */
const frame = {
  upstreams: {
    monolith: { url: 'http://127.0.0.1:4000' },
    search: { url: 'http://127.0.0.1:4100' },
    ai: { url: 'http://127.0.0.1:4200' },
  },
  unmatched: 'monolith',
}
const env = {
  REDIS_URL: 'redis://127.0.0.1:6379',
  CACHE_URL: 'redis://127.0.0.1:6380',
  KEYS_PEPPER: 'a pepper of more than thirty-two characters',
}

const metricsIn = (text: string) => [...text.matchAll(/\bbanyan_[a-z_]+[a-z]\b/g)].map(([name]) => name)
const metricsOfCode = new Set(
  readdirSync(join(root, 'gateway'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) => metricsIn(readFileSync(join(root, 'gateway', path), 'utf8'))),
)

/** Every key of routes.yaml, each with those above it: `routes.move.guard`. */
const keys = [...textOf('docs/routes-reference.md').matchAll(/^\| `([^`]+)`/gm)].map(([, key = '']) =>
  key.replace(/\[\]|\.NAME\b/g, ''),
)

function wrongIn(call: readonly string[]): string | undefined {
  const [name, what, ...rest] = call
  const command = commands.find((known) => known.name === name)
  if (!command) return `there is no banyan ${name}`
  const words = command.operands.split(/[\s|[\]]+/).filter((word) => /^[a-z]+$/.test(word))
  if (words.length > 0 && what !== undefined && !words.includes(what)) return `there is no banyan ${name} ${what}`
  const unknown = [what, ...rest]
    .flatMap((word) => (word?.startsWith('--') ? [word.slice(2).replace(/[=,.].*/, '')] : []))
    .find((option) => option !== 'help' && !Object.hasOwn(command.options, option))
  return unknown && `banyan ${name} has no --${unknown}`
}

/** What `banyan check` would say of a file with that in it: at the top, or at a route. */
function problemsOf(block: string): readonly string[] {
  const written: object = parse(block)
  const atRoute = { routes: [{ name: 'one', match: { path: '/one' }, upstream: 'monolith', ...written }] }
  const [top = [], route = []] = [written, atRoute].map((part) => {
    const { problems } = read({ file: 'x.yaml', text: JSON.stringify({ ...frame, ...part }) }, filters, env)
    return problems.filter(({ severity }) => severity === 'error').map(({ message }) => message)
  })
  return route.length === 0 ? [] : top
}

/** `guard.minRequests` is a key below a key; `routes.yaml` is a file. */
function isNoKey(written: string): boolean {
  const span = written.replace(/\.NAME\b/g, '')
  if (!/^[a-z]\w*(\.[a-z]\w*)+$/i.test(span) || /\.(ya?ml|json|ts|js|md|db|pem|key)$/.test(span)) return false
  const isOfFile = keys.some((key) => key.split('.').at(-1) === span.split('.')[0])
  return isOfFile && !keys.some((key) => key === span || key.endsWith(`.${span}`))
}

describe.each(pages)('%s', (page) => {
  const text = textOf(page)

  test('names commands and options that there are', () => {
    expect(callsOf(text).flatMap((call) => wrongIn(call) ?? [])).toEqual([])
  })

  test('names metrics that there are', () => {
    expect(metricsIn(text).filter((name) => !metricsOfCode.has(name))).toEqual([])
  })

  test('shows YAML that the gateway takes', () => {
    expect(blocksOf(text, 'yaml').flatMap(problemsOf)).toEqual([])
  })

  test('names keys that there are', () => {
    expect(spansOf(text).filter(isNoKey)).toEqual([])
  })

  test('leads to what is there', () => {
    const lost = linksOf(page, text).filter(({ path, anchor }) => {
      if (!existsSync(join(root, path))) return true
      return anchor !== '' && !anchorsOf(textOf(path)).includes(anchor)
    })
    expect(lost).toEqual([])
  })
})

describe('the pages together', () => {
  test('are found, with commands, YAML and links in them', () => {
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/operations.md', 'gateway/README.md']))
    expect(callsOf(textOf('docs/operations.md')).length).toBeGreaterThan(30)
    expect(pages.flatMap((page) => blocksOf(textOf(page), 'yaml')).length).toBeGreaterThan(4)
    expect(linksOf('README.md', textOf('README.md')).length).toBeGreaterThan(5)
  })

  test('name every command', () => {
    const named = new Set(pages.flatMap((page) => callsOf(textOf(page))).map(([name]) => name))
    expect(commands.map(({ name }) => name).filter((name) => !named.has(name))).toEqual([])
  })

  test('have every metric in docs/metrics.md', () => {
    const told = new Set(metricsIn(textOf('docs/metrics.md')))
    expect([...metricsOfCode].filter((name) => !told.has(name))).toEqual([])
  })

  test('say of every part of the gateway what it is for', () => {
    const parts = readdirSync(join(root, 'gateway'), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || entry.name.endsWith('.ts'))
      .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name.replace('.ts', '')))
    const text = textOf('gateway/README.md')
    expect(parts.filter((part) => !new RegExp(`[\`([]${part}`).test(text))).toEqual([])
    const order = [...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name)
    expect(order.slice(0, filters.length)).toEqual(filters.map(({ name }) => name))
  })

  test('are led to from docs/operations.md', () => {
    const led = new Set(linksOf('docs/operations.md', textOf('docs/operations.md')).map(({ path }) => path))
    expect(pages.filter((page) => page.startsWith('docs/') && !led.has(page) && page !== 'docs/operations.md')).toEqual(
      [],
    )
  })
})

describe('what is wrong in a page is found', () => {
  test('a command, a word of one, and an option', () => {
    const text =
      '`banyan moev x` `banyan keys rotat ID`\n```\nnpx banyan rollback x --reson "y" # why\n```\n`banyan why ID`'
    expect(callsOf(text).map(wrongIn)).toEqual([
      'there is no banyan moev',
      'there is no banyan keys rotat',
      undefined,
      'banyan rollback has no --reson',
    ])
  })

  test('a key in YAML, and one in a sentence', () => {
    expect(problemsOf('limit: { rat: 1/min }\n')).not.toEqual([])
    expect(spansOf('`guard.minRequest`, `guard.minRequests`, `routes.yaml`').filter(isNoKey)).toEqual([
      'guard.minRequest',
    ])
  })
})
