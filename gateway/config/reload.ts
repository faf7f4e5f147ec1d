// Loads routes.yaml again whenever it changes: an editor's rename, Kubernetes' swap of a link, a write in place, SIGHUP.
// The danger it guards against: a change that nobody notices. `fs.watch` on a file goes deaf after its first rename, on a
// folder when the folder is replaced, and on some file systems always: so the folder is watched, and the content polled.
import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { type Content, readContent, readSettled } from './content.ts'
import { type FirstLoad, type Loaded, type Loading, load, loadFirst } from './load.ts'

export interface Watching extends Loading {
  /** Each time that the content of the file has changed and been judged. */
  onReload(loaded: Loaded): void
  /** Between two looks at the content. */
  readonly pollMs?: number
  /** How long the content must have stood still. */
  readonly settleMs?: number
}

export interface Reloader {
  /** Loads for the first time and begins to watch, unless there is nothing to serve. */
  start(): Promise<FirstLoad>
  /** Looks now (SIGHUP). Resolves with how the newest content stands; `onReload` is called only if it is a new one. */
  reload(): Promise<Loaded>
  /** Ends once a look under way has ended; no `onReload` after it. */
  close(): Promise<void>
}

export function createReloader(watching: Watching): Reloader {
  const { file, pollMs = 1_000, settleMs = 25 } = watching
  let judged = ''
  let outcome: Loaded | undefined
  let looking: Promise<void> | undefined
  let mustLookAgain = false
  let isClosed = false
  let stopWatching = () => {}

  async function judge(content: Content): Promise<void> {
    judged = content.hash
    outcome = await load(content, watching)
    if (!isClosed) watching.onReload(outcome)
  }

  async function lookOnce(): Promise<void> {
    const first = await readContent(file)
    if (first.hash === judged) return
    const settled = await readSettled(file, first, settleMs)
    if (settled.hash !== judged && !isClosed) await judge(settled)
  }

  /** One look at a time; a call during one has another follow, so that the newest content has the last word. */
  function look(): Promise<void> {
    mustLookAgain = true
    looking ??= lookWhileAsked().finally(() => {
      looking = undefined
    })
    return looking
  }

  async function lookWhileAsked(): Promise<void> {
    while (mustLookAgain && !isClosed) {
      mustLookAgain = false
      await lookOnce()
    }
  }

  return {
    async start() {
      const first = await loadFirst(watching)
      judged = first.content.hash
      outcome = outcomeOf(first)
      if (first.from !== 'nothing' && !isClosed) stopWatching = watchContent(file, pollMs, look)
      return first
    },
    async reload() {
      await look()
      if (!outcome) throw new Error('the reloader has not been started')
      return outcome
    },
    async close() {
      isClosed = true
      stopWatching()
      await looking
    },
  }
}

function outcomeOf(first: FirstLoad): Loaded {
  if (first.from !== 'file') return { ok: false, problems: first.problems }
  return { ok: true, snapshot: first.snapshot, warnings: first.snapshot.warnings }
}

/** @param look must not throw. @returns what ends it */
function watchContent(file: string, pollMs: number, look: () => void): () => void {
  const name = basename(file)
  // `..data` is the link that Kubernetes swaps. Other files of the folder, a log maybe, are nobody's business.
  const mayConcern = (changed: string | null) => changed === null || changed === name || changed.startsWith('..')
  const watcher = tryToWatch(dirname(file), (changed) => mayConcern(changed) && look())
  const poll = setInterval(look, pollMs)
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
