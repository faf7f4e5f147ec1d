// Loads routes.yaml again whenever it changes, and on SIGHUP.
// The danger it guards against: a change that is judged twice, or out of turn, or after the end.
import type { Content } from '../files/content.ts'
import { follow } from '../files/follow.ts'
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
  let outcome: Loaded | undefined
  let isClosed = false
  const follower = follow({ file, pollMs, settleMs, onContent: judge })

  async function judge(content: Content): Promise<void> {
    outcome = await load(content, watching)
    if (!isClosed) watching.onReload(outcome)
  }

  return {
    async start() {
      const first = await loadFirst(watching)
      outcome = outcomeOf(first)
      if (first.from !== 'nothing') follower.start(first.content.hash)
      return first
    },
    async reload() {
      if (!outcome) throw new Error('the reloader has not been started')
      await follower.look()
      return outcome
    },
    close() {
      isClosed = true
      return follower.close()
    },
  }
}

function outcomeOf(first: FirstLoad): Loaded {
  if (first.from !== 'file') return { ok: false, problems: first.problems }
  return { ok: true, snapshot: first.snapshot, warnings: first.snapshot.warnings }
}
