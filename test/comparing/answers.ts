// Answers and rules as the tests of comparing/ write them.
import { compare } from '../../gateway/comparing/compare.ts'
import type { Compared, CompareRules, Comparison } from '../../gateway/comparing/comparison.ts'
import { createShow } from '../../gateway/comparing/redact.ts'

export const show = createShow(Buffer.from('a key of the tests'))

export function answer(body: string | Uint8Array, contentType = 'application/json', ...fields: string[]): Compared {
  return { status: 200, fields: ['Content-Type', contentType, ...fields], body: Buffer.from(body) }
}

export const rules = (changed: Partial<CompareRules> = {}): CompareRules => ({
  by: 'body',
  fields: [],
  ignore: [],
  unordered: [],
  ...changed,
})

/** `kind path @ exact place × count` of each difference. */
export function differencesOf({ differences }: Comparison): readonly string[] {
  return differences.map(({ kind, path, at, count }) => `${kind} ${path}${at === path ? '' : ` @ ${at}`} x${count}`)
}

/** Two bodies of JSON, as text. */
export function compareJson(old: string, candidate: string, changed: Partial<CompareRules> = {}): Comparison {
  return compare(answer(old), answer(candidate), rules(changed), show)
}
