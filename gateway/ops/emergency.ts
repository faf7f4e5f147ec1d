// break-glass.yaml at work: followed from before the first request on, told of in the log and in `status`.
// The danger it guards against: an emergency exit that is locked, and nobody knows until they stand before it.
import { readBreakGlass } from '../config/breakGlass.ts'
import type { Snapshot } from '../model.ts'
import { type BreakGlassFile, createBreakGlass } from '../state/breakGlass.ts'
import type { RolloutBook } from '../state/rolloutBook.ts'
import type { Log } from './log.ts'

export interface Emergency {
  /** Once: reads what is in stateDir, and follows it. */
  open(stateDir: string): Promise<void>
  /** Judges it anew: another routes.yaml knows other names. */
  look(): Promise<void>
  /** What is wrong with the file as it is now, as sentences. */
  hints(): readonly string[]
  close(): Promise<void>
}

interface Parts {
  readonly life: Log['life']
  readonly rollouts: Pick<RolloutBook, 'breakGlass'>
  denyKeys(ids: ReadonlySet<string>): void
  snapshot(): Snapshot | undefined
}

export function createEmergency({ life, rollouts, denyKeys, snapshot }: Parts): Emergency {
  let file: BreakGlassFile | undefined
  const known = () => {
    const { routes = [], rollouts: moving = new Map() } = snapshot() ?? {}
    return [...routes.map(({ name }) => name), ...moving.keys()]
  }
  return {
    async open(stateDir) {
      file ??= createBreakGlass({
        stateDir,
        read: (text) => readBreakGlass(text, known()),
        onChange(now) {
          rollouts.breakGlass(now.legacy)
          denyKeys(now.denyKeys)
        },
        onTrouble: (reason) => life.error({ reason }, 'break-glass.yaml is not as it should be'),
      })
      await file.start()
    },
    look: async () => void (await file?.look()),
    hints: () => file?.current.problems ?? [],
    close: async () => file?.close(),
  }
}
