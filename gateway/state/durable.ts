// Files that are there whole or not at all, and still there after the power has gone.
// The danger it guards against: half a file after a crash, and a rename that the disk has never heard of.
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeFolder } from './folder.ts'

let writes = 0

/**
 * Atomic: after a crash at any moment the old content or the new one is there, whole; and for the owner alone (0600), for
 * it may be what others should not read. The folder is made if need be. Of two writes of a file at once either may win.
 * @throws why it cannot be written; the old content is still there, unless only making the rename durable has failed
 */
export async function writeAtomically(file: string, text: string): Promise<void> {
  const folder = dirname(file)
  makeFolder(folder, 0o700)
  const temporary = `${file}.${process.pid}.${++writes}.tmp`
  try {
    await writeDurably(temporary, text)
    await rename(temporary, file)
    await syncFolder(folder)
  } catch (thrown) {
    await rm(temporary, { force: true })
    throw thrown
  }
}

/** @returns undefined when there is none. Rejects when there is one that cannot be read. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (thrown) {
    if (isMissing(thrown)) return undefined
    throw thrown
  }
}

/** A file that is made, renamed or removed is so durably only once its folder is on the disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Whether it was thrown because there is no such file. */
export function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR')
}

/** On the disk, not only in its cache. */
async function writeDurably(file: string, text: string): Promise<void> {
  // A left-over of another owner or mode is not written into.
  await rm(file, { force: true })
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
