// Replaces routes.yaml by an edited text: whoever watches the file, and whoever starts after a crash, sees the old or the new
// one, whole. The dangers it guards against: an edit that undoes what somebody else saved meanwhile, and a new file that the
// gateway may no longer read.
import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import { access, constants, type FileHandle, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/** `readOnly`: it cannot be replaced by us, so print the patch; `changed`: read it again; `failed`: the disk is full, say. */
export type InPlace =
  | { readonly written: true }
  | { readonly written: false; readonly because: 'readOnly' | 'changed' | 'failed'; readonly problem: string }

/**
 * @param file a path; a symbolic link stays, and what it leads to is replaced
 * @param before the text that was read and edited: when the file holds another one by now, nothing is written
 */
export async function writeInPlace(file: string, before: string, after: string): Promise<InPlace> {
  try {
    const target = await realpath(file)
    const status = await stat(target)
    if (!status.isFile()) return refused('failed', 'this is no file')
    // A rename needs the folder only: a file that is marked as not to be written would be replaced all the same.
    await access(target, constants.W_OK)
    return await replace({ file, target, status }, before, after)
  } catch (thrown) {
    return becauseOf(thrown)
  }
}

interface Replaced {
  readonly file: string
  readonly target: string
  readonly status: Stats
}

async function replace({ file, target, status }: Replaced, before: string, after: string): Promise<InPlace> {
  // In the same folder, for a rename does not cross file systems; hidden, and of no name that a reload looks at.
  const temporary = join(dirname(target), `.${basename(target)}.${randomUUID()}.tmp`)
  try {
    await writeDurably(temporary, after, status)
    // As late as can be. Between this and the rename another writer still gets lost: no file system compares and swaps.
    if (!(await stillHolds(file, target, before))) return refused('changed', 'the file has changed meanwhile')
    await rename(temporary, target)
  } finally {
    await rm(temporary, { force: true })
  }
  await syncFolder(dirname(target))
  return { written: true }
}

/** Through the link once more: Kubernetes swaps the link and leaves the file. */
async function stillHolds(file: string, target: string, before: string): Promise<boolean> {
  return (await realpath(file)) === target && (await readFile(target)).equals(Buffer.from(before))
}

async function writeDurably(file: string, text: string, status: Stats): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await keepOwner(handle, status)
    // After the owner, whose change may take bits away.
    await handle.chmod(status.mode & 0o7777)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** @throws EPERM when neither owner nor group can be kept and the file is not for everybody: its readers would lose it */
async function keepOwner(handle: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  const own = await handle.stat()
  if (own.uid === uid && own.gid === gid) return
  const mayReadAll = (mode & constants.S_IROTH) !== 0
  await handle
    .chown(uid, gid)
    .catch(() => handle.chown(own.uid, gid))
    .catch((thrown) => {
      if (!mayReadAll) throw thrown
    })
}

/** The rename is durable only once its folder is; where the folder cannot be opened, it is at least done. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}

function refused(because: 'readOnly' | 'changed' | 'failed', problem: string): InPlace {
  return { written: false, because, problem }
}

/** EBUSY: the file itself is a mount, as of one file into a container. */
const notOurs: ReadonlySet<string> = new Set(['EROFS', 'EACCES', 'EPERM', 'EBUSY'])

/** @throws what is no fault of the file system */
function becauseOf(thrown: unknown): InPlace {
  if (!(thrown instanceof Error) || !('code' in thrown)) throw thrown
  const code = String(thrown.code)
  if (code === 'ENOENT') return refused('changed', 'the file is gone')
  if (notOurs.has(code)) return refused('readOnly', `the file is read-only here (${code})`)
  return refused('failed', `the file cannot be written (${code})`)
}
