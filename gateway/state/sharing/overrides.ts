// Keeps what is decided about the rollouts the same at all replicas: what is decided here is put into the store, what is
// decided elsewhere is taken over as soon as the store says so.
// The danger it guards against: a decision that waits for the store, or is forgotten because it was away for a moment.
import { isDeepStrictEqual } from 'node:util'
import type { Overrides } from '../../model.ts'
import {
  afterStep,
  changeBetween,
  nothingShared,
  type Shared,
  type Step,
  stepOf,
  takenOver,
} from '../../rollout/shared.ts'
import type { RolloutBook } from '../rolloutBook.ts'
import { isOverrides } from '../rolloutFile.ts'
import { type Document, type Documents, type Store, StoreDown } from '../store/port.ts'

export interface SharedOverrides {
  /** Takes over what the store holds, before the first Snapshot. Rejects when it cannot be read. */
  start(): Promise<void>
  /** Another file is served: what the one before did not let stand may stand now. */
  takeOverAgain(): void
  /** Puts again what has not got there yet. */
  retry(): void
  /** Of the documents that were taken over last. */
  readonly appliedRevision: number
  /** The revision of what was decided here last, once all of it is in the store; undefined when some of it cannot be put there. */
  settled(): Promise<number | undefined>
  close(): void
}

interface Parts {
  readonly book: Pick<RolloutBook, 'overrides' | 'adopt' | 'know' | 'onDecision'>
  readonly store: Store
  /** Another revision has been taken over. @param wasEmptied the store holds nothing, not even that it once did */
  onApplied(wasEmptied: boolean): void
  readonly onFailure: (thrown: unknown) => void
}

const name = 'rollouts'

/** A step is kept until the store tells of a revision that has it. */
interface Pending {
  readonly step: Step
  writtenAt?: number
}

interface Known {
  readonly shared: Shared
  readonly revision: number
}

export function shareOverrides(parts: Parts): SharedOverrides {
  return new Sharer(parts)
}

class Sharer implements SharedOverrides {
  readonly #parts: Parts
  readonly #known = new Map<string, Known>()
  readonly #pending = new Map<string, readonly Pending[]>()
  readonly #putting = new Map<string, Promise<void>>()
  #decidedRevision = 0
  #end = () => {}
  appliedRevision = 0

  constructor(parts: Parts) {
    this.#parts = parts
    parts.book.onDecision((step) => this.#add(step))
  }

  async start(): Promise<void> {
    const { store } = this.#parts
    try {
      this.#apply(await store.all(name), true)
    } finally {
      this.#end = store.onChange(name, (documents) => this.#apply(documents))
    }
  }

  takeOverAgain(): void {
    for (const key of this.#known.keys()) this.#takeOver(key, false)
  }

  retry(): void {
    for (const key of this.#pending.keys()) this.#put(key)
  }

  async settled(): Promise<number | undefined> {
    await Promise.all(this.#putting.values())
    const isAllThere = [...this.#pending.keys()].every((key) => this.#unwritten(key).length === 0)
    return isAllThere ? this.#decidedRevision : undefined
  }

  close(): void {
    this.#end()
  }

  #add(step: Step): void {
    this.#pending.set(step.key, [...this.#pendingOf(step.key), { step }])
    this.#put(step.key)
  }

  #pendingOf(key: string): readonly Pending[] {
    return this.#pending.get(key) ?? []
  }

  #unwritten(key: string): readonly Pending[] {
    return this.#pendingOf(key).filter(({ writtenAt }) => writtenAt === undefined)
  }

  #put(key: string): void {
    if (this.#putting.has(key) || this.#unwritten(key).length === 0) return
    const done = this.#putAll(key)
      .catch((thrown) => {
        // What is pending is put again once the store is back.
        if (!(thrown instanceof StoreDown)) this.#parts.onFailure(thrown)
      })
      .finally(() => void this.#putting.delete(key))
    this.#putting.set(key, done)
  }

  async #putAll(key: string): Promise<void> {
    for (let steps = this.#unwritten(key); steps.length > 0; steps = this.#unwritten(key)) {
      const { shared, revision } = this.#known.get(key) ?? { shared: nothingShared, revision: 0 }
      const next = sumOf(shared, steps)
      const written = await this.#parts.store.put(name, key, next, { ifRevision: revision })
      if (written.done) {
        this.#known.set(key, { shared: next, revision: written.revision })
        for (const one of steps) one.writtenAt = written.revision
        this.#decidedRevision = Math.max(this.#decidedRevision, written.revision)
      } else {
        this.#learn(key, written.found)
        this.#takeOver(key, false)
      }
    }
  }

  #learn(key: string, document: Document | undefined): void {
    if (document) this.#known.set(key, { shared: readShared(document.value), revision: document.revision })
    else this.#known.delete(key)
  }

  #takeOver(key: string, isStarting: boolean): void {
    const { book } = this.#parts
    const own = book.overrides().get(key) ?? {}
    if (!this.#known.has(key) && !this.#pending.has(key)) this.#giveBack(key, own)
    const shared = sumOf(this.#known.get(key)?.shared ?? nothingShared, this.#pendingOf(key))
    const next = takenOver(own, shared, isStarting)
    if (!isDeepStrictEqual(own, next)) book.adopt(key, next, changeBetween(own, next, shared))
    const { rollback } = next
    const isLost = rollback && !shared.overrides.rollback && rollback.at > shared.takenOverAt
    if (isLost) this.#add(stepOf(key, 'rollback', rollback))
  }

  /** The store knows nothing of it: it was emptied, or was away when that was decided. A rollback it gets in any case. */
  #giveBack(key: string, { pause, advance }: Overrides): void {
    if (advance) this.#add(stepOf(key, 'advance', advance))
    if (pause) this.#add(stepOf(key, 'pause', pause))
  }

  #apply({ revision, byKey }: Documents, isStarting = false): void {
    // Older than what was put already: it was emptied, or another one has taken its place. What it lacks it gets again.
    const isOlder = revision < this.#decidedRevision
    if (isOlder) this.#decidedRevision = revision
    for (const key of this.#pending.keys()) this.#settle(key, revision, isOlder)
    const { book, onApplied } = this.#parts
    for (const key of new Set([...byKey.keys(), ...this.#known.keys(), ...book.overrides().keys()])) {
      this.#learn(key, byKey.get(key))
      this.#takeOver(key, isStarting)
      this.#put(key)
    }
    this.appliedRevision = revision
    book.know(true)
    onApplied(revision === 0)
  }

  #settle(key: string, revision: number, isOlder: boolean): void {
    const left = this.#pendingOf(key).filter(({ writtenAt = Infinity }) => writtenAt > revision)
    if (left.length === 0) this.#pending.delete(key)
    else this.#pending.set(key, isOlder ? left.map(({ step }) => ({ step })) : left)
  }
}

function sumOf(shared: Shared, steps: readonly Pending[]): Shared {
  return steps.reduce((sum, { step }) => afterStep(sum, step), shared)
}

/** What another version has written counts as nothing: what is decided here is put in its place. */
function readShared(value: unknown): Shared {
  const { overrides, ...others } = (value ?? {}) as Partial<Shared>
  return isOverrides(overrides) ? { ...nothingShared, ...others, overrides } : nothingShared
}
