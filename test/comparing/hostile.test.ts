// Bodies made to take for ever or to fill the memory.
import { expect, test } from 'vitest'
import { mostBodyBytes } from '../../gateway/comparing/decode.ts'
import { readJson } from '../../gateway/comparing/jsonValue.ts'
import { compareJson } from './answers.ts'

const many = (count: number, of: (i: number) => string) => Array.from({ length: count }, (_, i) => of(i)).join()
/** Processor time, for a machine that others use too. What is quadratic takes minutes. */
const mostCpuMs = 5000

const bodies: Readonly<Record<string, string>> = {
  'nesting of 100 000 arrays': '['.repeat(100_000) + ']'.repeat(100_000),
  'nesting of 20 000 objects': '{"a":'.repeat(20_000) + 1 + '}'.repeat(20_000),
  'nesting that never ends': '['.repeat(260_000),
  'a list of 130 000 numbers under 199 others': '['.repeat(199) + many(130_000, () => '1') + ']'.repeat(199),
  'a list of 87 000 lists': `[${many(87_000, () => '[]')}]`,
  'lists in lists, none like another': '['.repeat(190) + many(9000, (i) => `[${i},{"a":${i}}]`) + ',1]'.repeat(190),
  '16 identities for each of 1500 elements': `[${many(1500, (i) => `{${many(16, (k) => `"${k}":${i}`)}}`)}]`,
  'a number of 260 000 digits': '1'.repeat(260_000),
  'an exponent without end': `1e${'9'.repeat(100_000)}`,
  'a text of 130 000 escapes': `"${'\\"'.repeat(130_000)}"`,
  'a key as long as a body': `{"${'k'.repeat(260_000)}":1}`,
  '20 000 keys': `{${many(20_000, (i) => `"k${i.toString(36)}":${i}`)}}`,
}

test.each(Object.keys(bodies))('%s is compared in bounded time, with little said', (name) => {
  const old = bodies[name] as string
  const ignore = ['$..a..b..c', '$..x[*].y', '$..*..q']
  const middle = old.length >> 1
  const elsewhere = old.slice(0, middle) + old.slice(middle).replace('1', '3')
  expect(old.length).toBeLessThan(mostBodyBytes)
  for (const candidate of [old.replace('1', '2').replaceAll('k', 'j'), elsewhere, `${old} `]) {
    const startedAt = process.cpuUsage().user
    const comparison = compareJson(old, candidate, { ignore })
    expect((process.cpuUsage().user - startedAt) / 1000).toBeLessThan(mostCpuMs)
    expect(comparison.differences.length).toBeLessThanOrEqual(100)
    expect(JSON.stringify(comparison).length).toBeLessThan(100_000)
  }
})

test('what is nested deeper than anybody means it is compared as text', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  expect(readJson(nested(200))).toBeDefined()
  expect(readJson(nested(201))).toBeUndefined()
  expect(readJson(`"${'['.repeat(300)}${'1'.repeat(500)}"`)).toBeDefined()
  expect(compareJson(nested(100_000), nested(100_001)).differences).toMatchObject([{ path: 'body', kind: 'value' }])
})

test('a million keys are read, each once', () => {
  const text = `{${many(1_000_000, (i) => `"k${i}":${i}`)}}`
  const startedAt = process.cpuUsage().user
  expect(readJson(text)).toMatchObject({ members: { size: 1_000_000 } })
  expect((process.cpuUsage().user - startedAt) / 1000).toBeLessThan(4 * mostCpuMs)
})
