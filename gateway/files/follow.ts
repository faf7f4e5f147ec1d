// Notices whenever the content of a file changes: an editor's rename, Kubernetes' swap of a link, a write in place.
// The danger it guards against: a change that nobody notices. `fs.watch` on a file goes deaf after its first rename, on a
// folder when the folder is replaced, and on some file systems always: so the folder is watched, and the content polled.
import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { type Content, readContent, readSettled } from './content.ts'

export interface Following {
  /** Its path. */
  readonly file: string
  /** Each time that the content is another one; one call at a time. Must not reject. */
  onContent(content: Content): Promise<void> | void
  /** Between two looks at the content. */
  readonly pollMs: number
  /** How long the content must have stood still. */
  readonly settleMs: number
}

export interface Follower {
  /** Begins to watch. @param hash of the content that is known already */
  start(hash?: string): void
  /** Looks now. Resolves once the newest content is dealt with. */
  look(): Promise<void>
  /** Ends once a look under way has ended; no `onContent` after it. */
  close(): Promise<void>
}

export function follow({ file, onContent, pollMs, settleMs }: Following): Follower {
  let known = ''
  let looking: Promise<void> | undefined
  let mustLookAgain = false
  let isClosed = false
  let stopWatching = () => {}

  async function lookOnce(): Promise<void> {
    const first = await readContent(file)
    if (first.hash === known) return
    const settled = await readSettled(file, first, settleMs)
    if (settled.hash === known || isClosed) return
    known = settled.hash
    await onContent(settled)
  }

  /** One look at a time; a call during one has another follow, so that the newest content has the last word. */
  function look(): Promise<void> {
    mustLookAgain = true
    looking ??= lookWhileAsked()
    return looking
  }

  async function lookWhileAsked(): Promise<void> {
    while (mustLookAgain && !isClosed) {
      mustLookAgain = false
      await lookOnce()
    }
    // In the same breath as the look at what is asked for: a call in between would be told of an old content.
    looking = undefined
  }

  return {
    start(hash = '') {
      known = hash
      if (!isClosed) stopWatching = watchContent(file, pollMs, look)
    },
    look,
    async close() {
      isClosed = true
      stopWatching()
      await looking
    },
  }
}

/** @param look must not throw. @returns what ends it */
function watchContent(file: string, pollMs: number, look: () => void): () => void {
  const name = basename(file)
  // `..data` is the link that Kubernetes swaps. Other files of the folder, a log maybe, are nobody's business.
  const mayConcern = (changed: string | null) => changed === null || changed === name || changed.startsWith('..')
  const open = () => tryToWatch(dirname(file), (changed) => mayConcern(changed) && look())
  let watcher = open()
  const poll = setInterval(() => {
    // The folder may be there by now.
    watcher ??= open()
    look()
  }, pollMs)
  return () => {
    clearInterval(poll)
    watcher?.close()
  }
}

/** Where the system has no watch left to give, the poll alone serves. */
function tryToWatch(folder: string, onChange: (changed: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, (_event, changed) => onChange(changed))
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined
  }
}
