// The bytes of routes.yaml as they lie on the disk.
// The danger it guards against: a file that is taken while its writer is in the middle of it.
import { readFile, stat } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Problem } from '../model.ts'
import { hashOf } from './read.ts'

export interface Content {
  readonly text: string
  /** The same for the same text, and for the same reason why there is none. */
  readonly hash: string
  /** Why there is no text. */
  readonly problem?: Problem
}

/** Never read into memory: `read` refuses far less with its own sentence. */
const mostBytes = 16 * 1024 * 1024

/** @param file a path; a symbolic link is followed */
export async function readContent(file: string): Promise<Content> {
  try {
    return await readText(file)
  } catch (thrown) {
    return contentOf(`the file cannot be read (${reasonOf(thrown)}); check its path and permissions`)
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
  if (status.size > mostBytes) {
    return contentOf(`the file has ${Math.round(status.size / 1024 / 1024)} MiB; write fewer or wider routes`)
  }
  const text = await readFile(file, 'utf8')
  return { text, hash: hashOf(text) }
}

function contentOf(message: string): Content {
  return { text: '', hash: hashOf(`\0${message}`), problem: { severity: 'error', line: 1, column: 1, message } }
}

function reasonOf(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''
  return reasons[code] ?? (code || 'unknown reason')
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is none',
  EACCES: 'permission denied',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links go in circles',
}
