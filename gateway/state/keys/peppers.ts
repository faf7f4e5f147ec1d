// The peppers that keys are hashed under: those of routes.yaml, or the lines of a file of their own, which is followed. The first
// is the newest. By default it is a file of stateDir, made when there is none.
// The danger it guards against: a new pepper made in place of one that was lost, so that no key is known and nobody is told why.
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Content, linesOf } from '../../files/content.ts'
import { type Follower, follow } from '../../files/follow.ts'
import { leastPepperLength, type Pepper, pepperOf } from '../../identity/keyHash.ts'
import type { KeySettings } from '../../model.ts'
import { readIfThere, writeAtomically } from '../durable.ts'

export interface Peppers {
  /** Empty while none can be had. */
  all(): readonly Pepper[]
  /** Whether each gateway has its own: then replicas cannot share what is hashed under them. */
  isOwn(): boolean
  /** Another file is served. */
  follow(source: KeySettings['peppers']): void
  /** Once. @param mayMake whether there are no keys yet that were hashed under another one */
  open(stateDir: string, mayMake: boolean): Promise<void>
  close(): Promise<void>
}

export function createPeppers(onTrouble: (reason: string) => void): Peppers {
  let source: KeySettings['peppers']
  let ownFile: string | undefined
  let peppers: readonly Pepper[] = []
  let follower: { readonly file: string; readonly it: Follower } | undefined

  function take(file: string, { text, problem }: Content): void {
    if (follower?.file !== file) return
    const secrets = problem ? [] : linesOf(text)
    const weak = secrets.filter(({ length }) => length < leastPepperLength).length
    if (problem) onTrouble(`the peppers cannot be read (${problem.message}); ${holdsOn(peppers)}`)
    else if (secrets.length === 0) onTrouble(`the file of the peppers is empty; ${holdsOn(peppers)}`)
    else if (weak > 0) onTrouble(`a pepper needs ${leastPepperLength} characters at least; ${holdsOn(peppers)}`)
    else peppers = secrets.map(pepperOf)
  }

  async function turnTo(): Promise<void> {
    const file = source === undefined ? ownFile : 'file' in source ? source.file : undefined
    if (source && 'values' in source) peppers = source.values.map(pepperOf)
    if (follower?.file === file) return
    const before = follower
    follower = undefined
    if (file !== undefined) {
      const it = follow({ file, pollMs: 1_000, settleMs: 50, onContent: (content) => take(file, content) })
      follower = { file, it }
      it.start()
      await it.look()
    }
    await before?.it.close()
  }

  return {
    all: () => peppers,
    isOwn: () => source === undefined,
    follow(next) {
      source = next
      // Before stateDir is known nobody asks.
      if (ownFile !== undefined) void turnTo()
    },
    async open(stateDir, mayMake) {
      ownFile = join(stateDir, 'keys', 'peppers')
      if (source === undefined && mayMake && (await readIfThere(ownFile)) === undefined) {
        await writeAtomically(ownFile, `${randomBytes(32).toString('base64url')}\n`)
      }
      await turnTo()
    },
    close: async () => follower?.it.close(),
  }
}

function holdsOn(peppers: readonly Pepper[]): string {
  return peppers.length > 0 ? 'those of before are used on' : 'no key can be checked'
}
