import { describe, expect, test } from 'vitest'
import { formatProblems } from '../../gateway/config/problems.ts'
import { read } from '../../gateway/config/read.ts'
import { filterKind } from '../../gateway/filter.ts'
import { kinds } from './kinds.ts'
import { sound } from './world.ts'

function readText(text: string, env: Record<string, string> = {}) {
  return read({ file: '/etc/banyan/routes.yaml', text }, kinds, env)
}

function tell(text: string): string {
  return formatProblems('routes.yaml', readText(text).problems)
}

describe('text that is no ordinary file', () => {
  test('an empty one is told what it needs at least', () => {
    const sentence = 'routes.yaml:1:1  the file is empty; it needs at least "upstreams" and "unmatched"'
    for (const text of ['', ' ', '\n\n\t\n', '\uFEFF']) expect(tell(text)).toBe(sentence)
  })

  test('a byte order mark is no character of the first line', () => {
    expect(readText(`\uFEFF${sound(1)}`).problems).toEqual([])
    expect(tell(`\uFEFFwibbel: 1\n${sound(1)}`)).toMatch(/^routes.yaml:1:1 {2}unknown key "wibbel"/)
  })

  test('lines may end in CRLF', () => {
    const text = `${sound(1)}public:\n  prot: 1\n`.replaceAll('\n', '\r\n')
    expect(tell(text)).toBe('routes.yaml:4:3  unknown key "prot"; did you mean "port"?')
    expect(readText(sound(1).replaceAll('\n', '\r\n')).declaration?.unmatched.upstream.target.port).toBe(1)
  })

  test.each([
    ['a NUL', 'stateDir: a\0b\n'],
    ['a byte that is not UTF-8', Buffer.from('stateDir: a\xe4b\n', 'latin1').toString('utf8')],
    ['UTF-16', Buffer.from('stateDir: x\n', 'utf16le').toString('utf8')],
  ])('%s is told where it stands', (_what, line) => {
    expect(tell(sound(1) + line)).toMatch(/^routes.yaml:3:\d+ {2}this is no UTF-8 text; save the file as UTF-8$/)
  })

  test('a second document is told where it begins', () => {
    expect(tell(`${sound(1)}---\n${sound(2)}`)).toBe(
      'routes.yaml:3:1  a second document begins here; remove this "---" and keep one',
    )
    expect(readText(`---\n${sound(1)}...\n`).problems).toEqual([])
  })

  test('a file of 5 MB is refused', () => {
    expect(tell(`# ${'x'.repeat(5e6)}\n${sound(1)}`)).toBe(
      'routes.yaml:1:1  the file has more than 2 MiB; write fewer or wider routes',
    )
  })

  test.each(['[', '{a: ', '- '])('a hundred thousand nested "%s" are a mistake and no crash', (opening) => {
    const { problems, declaration } = readText(`stateDir: ${opening.repeat(100_000)}\n`)
    expect(problems.length).toBeGreaterThan(0)
    expect(declaration).toBeUndefined()
  })

  test('sound nesting beyond all need is a mistake', () => {
    expect(tell(`${sound(1)}public: ${'['.repeat(70)}${']'.repeat(70)}\n`)).toContain('nested more than 64 levels deep')
  })

  test('aliases that unfold to each other a thousand deep are a mistake and no crash', () => {
    const chain = Array.from({ length: 1_000 }, (_, i) => `k${i + 1}: &k${i + 1} [*k${i}]\n`).join('')
    expect(tell(`k0: &k0 [x]\n${chain}`)).toContain('nested more than 64 levels deep')
  })
})

describe('a reading', () => {
  test('has the Problems in the order of the file', () => {
    const { problems } = readText('wibble: 1\nupstreams: { a: { url: x } }\nunmatched: b\nroutes: [1]\n')
    const places = problems.map(({ line, column }) => line * 1_000 + column)
    expect(places).toEqual(places.toSorted((a, b) => a - b))
    expect(problems.map(({ line }) => line)).toEqual([1, 2, 3, 4])
  })

  test('has the hash of the text', () => {
    expect(readText(sound(1)).declaration?.hash).toMatch(/^[0-9a-f]{12}$/)
    expect(readText(sound(1)).declaration?.hash).toBe(readText(sound(1)).declaration?.hash)
    expect(readText(sound(2)).declaration?.hash).not.toBe(readText(sound(1)).declaration?.hash)
  })

  test('of three thousand routes takes all of them', () => {
    const routes = Array.from(
      { length: 3_000 },
      (_, i) => `  - { name: r${i}, match: { path: /api/r${i}/* }, upstream: monolith }\n`,
    )
    const { declaration, problems } = readText(`${sound(1)}routes:\n${routes.join('')}`)
    expect(problems).toEqual([])
    expect(declaration?.routes).toHaveLength(3_000)
  })

  test('does not touch the prototype of anything', () => {
    readText(`${sound(1)}__proto__: { polluted: yes }\nconstructor: { prototype: { polluted: yes } }\n`)
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
    expect(tell(`${sound(1)}__proto__: { x: 1 }\n`)).toContain('routes.yaml:3:1  unknown key "__proto__"')
  })

  test('refuses kinds that declare the same key, or one of the core', () => {
    const [greet] = kinds.filter(({ name }) => name === 'greet')
    if (!greet) throw new Error('the kind greet is missing')
    const twice = () => read({ file: 'routes.yaml', text: sound(1) }, [greet, greet], {})
    expect(twice).toThrow('the key "greet" at route is declared twice')
    const core = filterKind({ ...greet, sections: { name: { at: 'route', schema: { type: 'string' } } } })
    expect(() => read({ file: 'routes.yaml', text: sound(1) }, [core], {})).toThrow('the key "name" at route')
  })
})

test('Problems are printed with their messages aligned', () => {
  const problems = [
    { severity: 'error', line: 4, column: 5, message: 'unknown key "upstraem"; did you mean "upstream"?' },
    { severity: 'warning', line: 6, column: 18, message: 'share is odd' },
  ] as const
  expect(formatProblems('routes.yaml', problems)).toBe(
    'routes.yaml:4:5   unknown key "upstraem"; did you mean "upstream"?\nroutes.yaml:6:18  warning: share is odd',
  )
  expect(formatProblems('routes.yaml', [])).toBe('')
})
