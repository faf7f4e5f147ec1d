// The last accepted routes.yaml, kept in stateDir as it was written (references unresolved), for a start on a broken one.
// The dangers it guards against: half a copy after a crash, and a full disk that keeps a good file from being served.
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from './folder.ts'

const fileName = 'lastAccepted.yaml'

export interface Mirror {
  /** Queues a write; what goes wrong with it goes to `onFailure`. The last one queued is the last one written. */
  save(stateDir: string, text: string): void
  /** The text saved last. @returns undefined when there is none. Rejects when there is one that cannot be read. */
  read(stateDir: string): Promise<string | undefined>
  /** When everything queued so far is written, or has failed. */
  idle(): Promise<void>
}

/** @param onFailure to be told loudly: without a mirror a broken file is no start */
export function createMirror(onFailure: (thrown: unknown, stateDir: string) => void): Mirror {
  let queue = Promise.resolve()
  return {
    save(stateDir, text) {
      queue = queue.then(() => writeMirror(stateDir, text)).catch((thrown) => onFailure(thrown, stateDir))
    },
    read: readMirror,
    idle: () => queue,
  }
}

/** Atomic: after a crash at any moment the old copy or the new one is there, whole. */
export async function writeMirror(stateDir: string, text: string): Promise<void> {
  makeFolder(stateDir, 0o700)
  const temporary = join(stateDir, `${fileName}.${process.pid}.tmp`)
  try {
    await writeDurably(temporary, text)
    await rename(temporary, join(stateDir, fileName))
    await syncFolder(stateDir)
  } catch (thrown) {
    await rm(temporary, { force: true })
    throw thrown
  }
}

export async function readMirror(stateDir: string): Promise<string | undefined> {
  try {
    return await readFile(join(stateDir, fileName), 'utf8')
  } catch (thrown) {
    if (isMissing(thrown)) return undefined
    throw thrown
  }
}

/** On the disk, not only in its cache, and for the owner alone: the file may hold what others should not read. */
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

/** The rename itself is durable only once its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR')
}
