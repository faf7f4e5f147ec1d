// Makes a folder and those above it.
// The danger it guards against: Node's own recursive mkdir never ends where a folder cannot be made although the one above it is
// there (Linux says ENOENT for /proc/x), and takes the process with it.
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** @throws why it cannot be made. @param mode of the folders that are made */
export function makeFolder(folder: string, mode = 0o777): void {
  try {
    mkdirSync(folder, { mode })
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(folder).isDirectory()) return
    const above = dirname(folder)
    if (code !== 'ENOENT' || above === folder) throw thrown
    makeFolder(above, mode)
    mkdirSync(folder, { mode })
  }
}
