// The gateway's log as a test reads it: line by line, and waiting for one that has not come yet.
import { type FSWatcher, watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'

export type Line = Record<string, unknown>

export async function readLines(file: string): Promise<Line[]> {
  const text = await readFile(file, 'utf8')
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
}

/** Resolves with the first line that fits, come or yet to come. */
export async function lineOf(file: string, fits: (line: Line) => boolean): Promise<Line> {
  const watcher = watch(dirname(file))
  try {
    for (;;) {
      const changed = change(watcher)
      const found = (await readLines(file)).find(fits)
      if (found) return found
      await changed
    }
  } finally {
    watcher.close()
  }
}

function change(watcher: FSWatcher): Promise<void> {
  return new Promise((resolve) => {
    watcher.once('change', () => resolve())
  })
}
