// How far each replica is in hearing of revocations, as it says itself.
// The danger it guards against: a revocation that is told as done while a replica still lets that key in.
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../model.ts'
import type { Store } from '../store/port.ts'

export interface KeyProgress {
  /** Of the revocations that are in force there. */
  readonly applied: number
  /** How long it had not heard of revocations when it said so. */
  readonly silentMs: number
}

export interface KeyReplicas {
  /** Never rejects. */
  announce(progress: KeyProgress): Promise<void>
  /** Of those that are alive, by id; undefined of one that says nothing. Undefined when nobody can be asked. */
  all(): Promise<ReadonlyMap<string, KeyProgress | undefined> | undefined>
  /** Who does not have that revision in force when the time is over: their ids, and how many nobody knows. */
  missing(revision: number, withinMs: number): Promise<readonly string[]>
}

interface Parts {
  readonly clock: Pick<Clock, 'now'>
  readonly store: Pick<Store, 'remember' | 'recall' | 'state'>
  /** Who there is: this one's id, and those of all that are alive. */
  fleet(): Promise<{ readonly own: string; readonly alive: readonly string[]; readonly expected: number }>
}

const name = 'keyProgress'
/** What a replica has said so long ago is nothing any more. */
const saidForMs = 10_000
const lookEveryMs = 50

export function createKeyReplicas({ clock, store, fleet }: Parts): KeyReplicas {
  async function progressOf(id: string): Promise<KeyProgress | undefined> {
    const text = await store.recall(name, id).catch(() => undefined)
    return text === undefined ? undefined : (JSON.parse(text) as KeyProgress)
  }

  async function all(): Promise<ReadonlyMap<string, KeyProgress | undefined> | undefined> {
    const { alive } = await fleet()
    if (store.state().is !== 'up') return undefined
    return new Map(await Promise.all(alive.map(async (id) => [id, await progressOf(id)] as const)))
  }

  return {
    async announce(progress) {
      const { own } = await fleet()
      await store.remember(name, own, JSON.stringify(progress), saidForMs).catch(() => {})
    },
    all,
    async missing(revision, withinMs) {
      const until = clock.now() + withinMs
      const { own, alive, expected } = await fleet()
      // One that vanishes meanwhile has not confirmed: it may only stand still.
      let left = alive.filter((id) => id !== own)
      const unheard = Math.max(0, expected - left.length - 1)
      while (left.length > 0 && clock.now() < until) {
        const said = await Promise.all(left.map(progressOf))
        left = left.filter((_, i) => (said[i]?.applied ?? -1) < revision)
        if (left.length > 0) await pause(lookEveryMs, undefined, { ref: false })
      }
      return [...left, ...(unheard > 0 ? [`${unheard} of ${expected} replicas, of which the store has not heard`] : [])]
    },
  }
}
