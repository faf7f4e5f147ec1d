// routes.yaml as the commands read it: from the file alone, whether or not a gateway runs.
// The danger it guards against: a command that cannot help because an unrelated part of the file is broken.
import { readFile } from 'node:fs/promises'
import { check } from '../config/check.ts'
import { readDocument } from '../config/document.ts'
import { createFindings } from '../config/problems.ts'
import { type Reading, read } from '../config/read.ts'
import type { Problem } from '../model.ts'
import type { Given, World } from './command.ts'

export function configFileOf(given: Given, { env }: World): string {
  return given.value('config') ?? (env.BANYAN_CONFIG || 'routes.yaml')
}

/** A file that cannot be read has that as its one Problem. */
export async function readConfig(file: string, { kinds, env }: World): Promise<Reading> {
  try {
    return read({ file, text: await readFile(file, 'utf8') }, kinds, env)
  } catch (thrown) {
    if (!isFileFault(thrown)) throw thrown
    const problem: Problem = { severity: 'error', line: 1, column: 1, message: `cannot be read: ${thrown.message}` }
    return { problems: [problem] }
  }
}

/** One top-level key with its defaults, also of a file that has mistakes elsewhere; undefined when it cannot be told. */
export async function settingOf<T>(file: string, key: string, { kinds, env }: World): Promise<T | undefined> {
  const findings = createFindings()
  const text = await readFile(file, 'utf8').catch(() => undefined)
  const written = text === undefined ? undefined : readDocument(text, env, findings)
  return written && check(written, kinds, findings).at<T>(`/${key}`)
}

export function isFileFault(thrown: unknown): thrown is NodeJS.ErrnoException {
  return thrown instanceof Error && 'syscall' in thrown && 'code' in thrown
}
