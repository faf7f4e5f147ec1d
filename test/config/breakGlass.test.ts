import { describe, expect, test } from 'vitest'
import { readBreakGlass } from '../../gateway/config/breakGlass.ts'
import { makeKey } from '../../gateway/identity/keyFormat.ts'

const known = ['search', 'catalog', '404']

/** What a text says, in short: names, and problems with their places. */
function saying(text: string): { legacy: unknown; problems: readonly string[] } {
  const { legacy, problems } = readBreakGlass(text, known)
  return {
    legacy: typeof legacy === 'object' ? [...legacy] : legacy,
    problems: problems.map(({ line, column, message }) => `${line}:${column} ${message}`),
  }
}

const remedy = 'write "legacy: all", "legacy: [NAME, NAME]", or "legacy: []" for none'

describe('a file that is right', () => {
  const right: [string, string | string[]][] = [
    ['legacy: all\n', 'all'],
    ['legacy: [all]', 'all'],
    ['legacy: [search, all]', 'all'],
    ['legacy: [search, catalog]', ['search', 'catalog']],
    ['legacy:\n  - search\n  - search\n', ['search']],
    ['legacy: search # one will do', ['search']],
    ['legacy: [404]', ['404']],
    ['{"legacy": ["search"]}', ['search']],
    ['\uFEFFlegacy: all\r\n', 'all'],
    ['legacy: []', []],
    ['', []],
    ['\n\n  # legacy: all\n---\n', []],
    ['\uFEFF\r\n', []],
  ]
  test.each(right)('%j says who goes to the old side', (text, legacy) => {
    expect(saying(text)).toEqual({ legacy, problems: [] })
  })
})

describe('of a file that is half right', () => {
  test('what can be understood is taken, and the rest is told', () => {
    expect(saying('legcy: all\nlegacy: [search, null, {a: b}]\n')).toEqual({
      legacy: ['search'],
      problems: [
        '1:1 unknown key "legcy"; did you mean "legacy"?',
        `2:18 this is no name; ${remedy}`,
        `2:24 this is no name; ${remedy}`,
      ],
    })
  })

  test('a name that nobody has is told, and taken: a reload may bring it', () => {
    expect(saying('legacy: [serach, new]')).toEqual({
      legacy: ['serach', 'new'],
      problems: [
        '1:10 no route or group is called "serach"; did you mean "search"?',
        '1:18 no route or group is called "new"',
      ],
    })
    expect(saying('legacy: al').problems).toEqual(['1:9 no route or group is called "al"; did you mean "all"?'])
  })
})

describe('a file of which nothing can be understood is not taken for an empty one', () => {
  const wrong: [string, string][] = [
    ['legacy:', `1:8 this is no name; ${remedy}`],
    ['legacy: true', `1:9 this is no name; ${remedy}`],
    ['legacy: { search: yes }', `1:9 this is no name; ${remedy}`],
    ['legacy: [null]', `1:10 this is no name; ${remedy}`],
    ['legacy: ""', `1:9 this is no name; ${remedy}`],
    ['all', `1:1 this is no mapping; ${remedy}`],
    ['[legacy]', `1:1 this is no mapping; ${remedy}`],
    ['Legacy: all', '1:1 unknown key "Legacy"; did you mean "legacy"?'],
    ['{}', `1:1 "legacy" is missing; ${remedy}`],
    ['legacy: [sea', '1:13 '],
    ['legacy: "all', '1:'],
    ['legacy: all\nlegacy: []', '2:1 '],
    ['legacy: all\n---\nlegacy: []', '2:1 '],
    ['\0\0\0', '1:1 this is no UTF-8 text; save the file as UTF-8'],
    [`legacy: $\{HOME}`, '1:9 '],
    ['legacy: *all', '1:9 '],
  ]
  test.each(wrong)('%j', (text, problem) => {
    const { legacy, problems } = saying(text)
    expect(legacy).toBeUndefined()
    expect(problems.some((one) => one.startsWith(problem))).toBe(true)
  })
})

describe('keys that are denied', () => {
  const key = makeKey('live', (count) => new Uint8Array(count))
  const denied = (text: string) => {
    const { denyKeys, problems } = readBreakGlass(text, known)
    return { ids: denyKeys && [...denyKeys], told: problems.map(({ message }) => message) }
  }

  test('stand there by their ids, or whole, as they are at hand', () => {
    expect(denied('denyKeys: [byn_live_a1B2c3D4]')).toEqual({ ids: ['byn_live_a1B2c3D4'], told: [] })
    expect(denied(`denyKeys: ${key}`)).toEqual({ ids: ['byn_live_00000000'], told: [] })
    expect(denied('legacy: all')).toEqual({ ids: [], told: [] })
    expect(denied('')).toEqual({ ids: [], told: [] })
  })

  test('that are none are told, without what stands there, and the others are taken', () => {
    const told = [
      'this is no id of a key; write "denyKeys: [ID, ID]", with what the keys begin with: byn_live_a1B2c3D4',
    ]
    const { ids, told: said } = denied(`denyKeys: [byn_live_a1B2c3D4, ${key}x]`)
    expect(said).toEqual(told)
    expect(ids).toContain('byn_live_a1B2c3D4')
  })
})
