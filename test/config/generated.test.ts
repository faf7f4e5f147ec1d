import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { editorSchema } from '../../gateway/config/jsonSchema.ts'
import { read } from '../../gateway/config/read.ts'
import { referencePage } from '../../gateway/config/reference.ts'
import { filters } from '../../gateway/filters.ts'

const root = join(import.meta.dirname, '../..')
const text = (path: string) => readFileSync(join(root, path), 'utf8')

describe('what is generated from the declarations is current (else: node gateway/config/writeSchema.ts)', () => {
  test("the editors' schema", () => {
    expect(text('gateway/config/routes.schema.json')).toBe(editorSchema(filters))
  })

  test('the reference page', () => {
    expect(text('docs/routes-reference.md')).toBe(referencePage(filters))
  })
})

describe("the editors' schema", () => {
  const validate = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }).compile(
    JSON.parse(text('gateway/config/routes.schema.json')),
  )

  test('accepts routes.yaml with its references unresolved', () => {
    expect(validate(parse(text('routes.yaml'))), JSON.stringify(validate.errors)).toBe(true)
  })

  test('accepts the least that the gateway accepts', () => {
    expect(validate({ upstreams: { a: { url: 'http://127.0.0.1:1' } }, unmatched: 'a' })).toBe(true)
    expect(validate({ unmatched: 'a' })).toBe(false)
  })

  test('refuses what the gateway refuses: an unknown key, a wrong unit, a reserved key, a wrong name', () => {
    const least = { upstreams: { a: { url: 'http://127.0.0.1:1' } }, unmatched: 'a' }
    for (const mistake of [
      { wibble: 1 },
      { cache: {} },
      { public: { drain: '60' } },
      { public: { port: 70_000 } },
      { upstreams: { 'a b': { url: 'http://127.0.0.1:1' } } },
      { routes: [{ name: 'x', match: { path: '/x' }, move: { to: 'a', stage: 'Canary' } }] },
    ]) {
      expect(validate({ ...least, ...mistake }), JSON.stringify(mistake)).toBe(false)
    }
  })
})

describe('routes.yaml of the repository', () => {
  const { problems, declaration } = read({ file: join(root, 'routes.yaml'), text: text('routes.yaml') }, filters, {})

  test('is accepted without a Problem or a warning', () => {
    expect(problems).toEqual([])
  })

  test('listens on loopback alone', () => {
    const { public: door, probes, admin } = declaration?.settings ?? {}
    expect([door?.host, probes?.host, admin?.host]).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1'])
  })

  test('names every key that there is, at work or in a comment', () => {
    const keys = [...text('docs/routes-reference.md').matchAll(/^\| `(?:[^`]*\.)?(\w+)`/gm)].map(([, key]) =>
      String(key),
    )
    expect(keys.length).toBeGreaterThan(30)
    const missing = [...new Set(keys)].filter((key) => !new RegExp(`\\b${key}:`).test(text('routes.yaml')))
    expect(missing).toEqual([])
  })
})
