// What the file says of keys of ours, as the gateway uses it.
// The danger it guards against: a policy that contradicts itself, so that a key is too old before anybody is warned.
import { dirname, resolve } from 'node:path'
import type { KeySettings } from '../model.ts'
import type { CheckedTop } from './core.ts'
import { type Page, refuse, wordsAt } from './page.ts'
import { below } from './pointer.ts'
import { durationMs } from './schema.ts'

const leastStaleMs = 10_000

/** @param file the path of routes.yaml. @returns undefined after a mistake */
export function declareKeys(page: Page, file: string): KeySettings | undefined {
  const keys = page.checked.at<CheckedTop['keys']>('/keys')
  if (!keys) return undefined
  const [maxAgeMs, warnMs, overlapMs] = [durationMs(keys.maxAge), durationMs(keys.warn), durationMs(keys.overlap)]
  const staleAfterMs = keys.staleAfter === 'never' ? undefined : durationMs(keys.staleAfter)
  const words = (key: string) => wordsAt(page, below('/keys', key))
  if (maxAgeMs <= 0)
    return refuse(page, '/keys/maxAge', 'maxAge must be longer than nothing; every key would be too old')
  if (warnMs >= maxAgeMs)
    return refuse(
      page,
      '/keys/warn',
      `warn must be shorter than maxAge (${words('maxAge')}), or every key is warned of from the start`,
    )
  if (staleAfterMs !== undefined && staleAfterMs < leastStaleMs)
    return refuse(
      page,
      '/keys/staleAfter',
      `staleAfter must be 10s or more, not ${words('staleAfter')}: the store is read anew every two seconds`,
    )
  warnOfLiterals(page, keys)
  const { env, peppers, notices } = keys
  const pathOf = (path: string) => resolve(dirname(file), path)
  return {
    ...{ env, maxAgeMs, warnMs, overlapMs },
    ...(staleAfterMs !== undefined && { staleAfterMs }),
    ...(peppers && {
      peppers: 'file' in peppers ? { file: pathOf(peppers.file) } : { values: peppers },
    }),
    ...(notices && { noticeKeysFile: pathOf(notices.publicKeys) }),
  }
}

function warnOfLiterals({ written, findings }: Page, { peppers }: CheckedTop['keys']): void {
  if (!Array.isArray(peppers)) return
  for (const [i, pepper] of peppers.entries()) {
    const at = below('/keys/peppers', i)
    if (written.wordsAt(at) === pepper)
      findings.warn(
        written.positionOf(at),
        `this pepper stands in the file, and so in every copy of it; take it from the environment, "\${KEYS_PEPPER}", or from a file: peppers: { file: PATH }`,
      )
  }
}
