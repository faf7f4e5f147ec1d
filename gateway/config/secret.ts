// What the gateway proves itself to an upstream with, from the file.
// The danger it guards against: a secret in clear in a file that everybody reads.
import { dirname, resolve } from 'node:path'
import type { SecretSettings } from '../model.ts'
import { type Page, refuse } from './page.ts'
import { below } from './pointer.ts'
import type { CheckedSecret } from './secretSchema.ts'

/** What frames and addresses a message carries no secret. */
const framing = /^(?:host|content-length|transfer-encoding|connection|upgrade|te|trailer)$/i

/** @param pointer of the secret. @param file the path of routes.yaml. @returns undefined after a mistake, which is told */
export function secretOf(
  page: Page,
  { pointer, file }: { pointer: string; file: string },
  { from, field, scheme }: CheckedSecret,
): SecretSettings | undefined {
  if (framing.test(field))
    return refuse(page, below(pointer, 'field'), `"${field}" frames or addresses the message; name another field`)
  if ('file' in from) return { field, scheme, source: { file: resolve(dirname(file), from.file) } }
  const unpaired = scheme === 'basic' ? from.findIndex((secret) => !secret.includes(':')) : -1
  if (unpaired >= 0)
    return refuse(
      page,
      below(pointer, 'from', unpaired),
      'with scheme: basic a secret is a pair, user:password; write it so',
    )
  warnOfLiterals(page, below(pointer, 'from'), from)
  return { field, scheme, source: { values: from } }
}

function warnOfLiterals({ written, findings }: Page, pointer: string, secrets: readonly string[]): void {
  for (const [i, secret] of secrets.entries()) {
    const at = below(pointer, i)
    if (written.wordsAt(at) !== secret) continue
    findings.warn(
      written.positionOf(at),
      `this secret stands in the file, and so in every copy of it; take it from the environment, "\${NAME}", or from a file: from: { file: PATH }`,
    )
  }
}
