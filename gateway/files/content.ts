// The text of a file that people and tools edit, as it lies on the disk.
// The danger it guards against: a file that is taken while its writer is in the middle of it.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Problem } from '../model.ts'

export interface Content {
  readonly text: string
  /** The same for the same text, and for the same reason why there is none. */
  readonly hash: string
  /** Why there is no text. */
  readonly problem?: Problem
  /** There is no such file: nothing worse. */
  readonly isMissing?: true
}

/** Never read into memory: those who read it refuse far less with a sentence of their own. */
const mostMiB = 16

/** The first 12 hexadecimal digits of the SHA-256 of a text. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/** One thing in each line: without what is empty, or begins with `#`. */
export function linesOf(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.trim())
  return lines.filter((line) => line !== '' && !line.startsWith('#'))
}

/** A small file, at once: before a request needs it, and so that no older look ends behind a newer one. @returns its text, or why there is none */
export function readNow(file: string): { readonly text: string } | { readonly trouble: string } {
  try {
    return { text: readFileSync(file, 'utf8') }
  } catch (thrown) {
    return { trouble: `${file} cannot be read (${codeOf(thrown) || 'unknown reason'}); check its path and permissions` }
  }
}

/** @param file a path; a symbolic link is followed */
export async function readContent(file: string): Promise<Content> {
  try {
    return await readText(file)
  } catch (thrown) {
    const code = codeOf(thrown)
    const content = contentOf(
      `the file cannot be read (${reasons[code] ?? (code || 'unknown reason')}); check its path and permissions`,
    )
    return code === 'ENOENT' ? { ...content, isMissing: true } : content
  }
}

/**
 * What the file holds once it holds the same at two reads in a row. A writer that rewrites the file in place and pauses
 * longer than that in the middle, at a place where the first part is valid by itself, cannot be told from one that has
 * finished; the rest is read when it comes. Writing beside and renaming has no such moment.
 * @param settleMs between two reads
 */
export async function readSettled(file: string, first: Content, settleMs: number): Promise<Content> {
  let before = first
  for (;;) {
    await delay(settleMs)
    const content = await readContent(file)
    if (content.hash === before.hash) return content
    before = content
  }
}

async function readText(file: string): Promise<Content> {
  // Before it is opened: opening a pipe waits for its writer.
  const status = await stat(file)
  if (!status.isFile()) return contentOf('this is no file; name one')
  const sizeMiB = status.size / 1024 / 1024
  if (sizeMiB > mostMiB) return contentOf(`the file has ${Math.round(sizeMiB)} MiB; at most ${mostMiB} are read`)
  const text = await readFile(file, 'utf8')
  return { text, hash: hashOf(text) }
}

function contentOf(message: string): Content {
  return { text: '', hash: hashOf(`\0${message}`), problem: { severity: 'error', line: 1, column: 1, message } }
}

function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is none',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links go in circles',
}
