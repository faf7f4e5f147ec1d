// `readYourWrites` of a rollout: the writes after which a client reads from the side that took them.
// The danger it guards against: a pattern that no write ever meets, so that the promise is silently not kept.
import { METHODS } from 'node:http'
import type { PathRules, RolloutDeclaration, WritePattern } from '../model.ts'
import { isSafe } from '../rollout/writes.ts'
import { foldPattern, parsePattern } from '../routing/pattern.ts'
import { type Page, refuse, wordsAt } from './page.ts'
import { below } from './pointer.ts'
import type { CheckedRollout } from './rolloutSchema.ts'
import { durationMs } from './schema.ts'

/** @param at pointer of the mapping that has the rollout's keys */
export function readYourWritesOf(
  page: Page,
  at: string,
  { readYourWrites }: CheckedRollout,
): RolloutDeclaration['readYourWrites'] {
  const rules = page.checked.at<PathRules>('/paths')
  if (!readYourWrites || !rules) return undefined
  const after = readYourWrites.after.flatMap((text, i) => {
    const pointer = below(at, 'readYourWrites', 'after', i)
    return patternOf(page, pointer, { text, rules }) ?? []
  })
  return { after, forMs: durationMs(readYourWrites.for) }
}

function patternOf(
  page: Page,
  pointer: string,
  { text, rules }: { text: string; rules: PathRules },
): WritePattern | undefined {
  const [, method, path = ''] = /^(?:([^\s/]+)(?:\s+|$))?(.*)$/.exec(text) ?? []
  if (method !== undefined && (isSafe(method) || !METHODS.includes(method))) {
    const why = isSafe(method) ? 'begins with a method that only reads' : 'begins with what is no method'
    return refuse(page, pointer, `${wordsAt(page, pointer)} ${why}; write for example "POST /api/orders/*"`)
  }
  if (path === '') return refuse(page, pointer, `${wordsAt(page, pointer)} names no path; write "${method} /*" for all`)
  const pattern = parsePattern(path)
  if ('problem' in pattern) return refuse(page, pointer, page.written.scrub(pattern.problem))
  const { kind, segments } = foldPattern(pattern, rules)
  return {
    ...(method !== undefined && { method }),
    segments: segments.map((segment) => ('literal' in segment ? segment.literal : undefined)),
    isPrefix: kind === 'prefix',
  }
}
