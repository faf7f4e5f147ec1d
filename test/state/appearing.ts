// A file that is to appear.
import { once } from 'node:events'
import { watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

/** What it says, once it is there and can be read. Its folder must be there already. */
export async function contentOf(file: string): Promise<string> {
  const watcher = watch(dirname(file))
  try {
    for (;;) {
      // Before the look: what changes during it is seen too.
      const changed = once(watcher, 'change')
      const text = await readFile(file, 'utf8').catch(() => undefined)
      if (text !== undefined) return text
      await changed
    }
  } finally {
    watcher.close()
  }
}
