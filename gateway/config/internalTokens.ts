// The tokens by which upstreams are told who a client is, from the file.
// The danger it guards against: a key that is gone before anybody could use what it has signed.
import type { SigningSettings } from '../model.ts'
import type { CheckedTop } from './core.ts'
import { type Page, refuse } from './page.ts'
import { durationMs } from './schema.ts'

const leastMs = 1_000

/** @returns undefined after a mistake, which is told */
export function declareSigning(page: Page): SigningSettings | undefined {
  const tokens = page.checked.at<CheckedTop['internalTokens']>('/internalTokens')
  if (!tokens) return undefined
  for (const key of ['life', 'rotate'] as const)
    if (durationMs(tokens[key]) < leastMs) return refuse(page, `/internalTokens/${key}`, `${key} must be at least 1s`)
  const { issuer, life, rotate, algorithm } = tokens
  return { issuer, lifeMs: durationMs(life), rotateMs: durationMs(rotate), algorithm, isPublic: tokens.public }
}
