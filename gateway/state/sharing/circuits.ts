// The circuits that replicas have together, as documents of the store: read at each change, written only over what was read.
// The danger it guards against: two replicas that vote at once, of which one overwrites the other.
import { isDeepStrictEqual } from 'node:util'
import { type FleetCircuit, nobodys, readCircuit } from '../breaking/fleetCircuit.ts'
import { type Document, type Documents, type Store, StoreDown, type Written } from '../store/port.ts'

interface Held {
  readonly circuit: FleetCircuit
  readonly revision: number
}

const name = 'breakers'
/** Whoever is overtaken so often in a row leaves it: the next round says it again. */
const mostTries = 10

export class SharedCircuits {
  readonly #tell: (key: string) => void
  readonly #onFailure: (thrown: unknown) => void
  readonly #held = new Map<string, Held>()
  #store: Store | undefined
  /** One after another: what is said later must not be overtaken by what was said before. */
  #last: Promise<void> = Promise.resolve()

  /** @param tell that one of them has changed */
  constructor(tell: (key: string) => void, onFailure: (thrown: unknown) => void) {
    this.#tell = tell
    this.#onFailure = onFailure
  }

  open(store: Store): void {
    this.#store = store
    store.onChange(name, (documents) => this.#takeAll(documents))
  }

  isShared(): boolean {
    return this.#store?.state().is === 'up'
  }

  /** As it is known here. */
  of(key: string): FleetCircuit | undefined {
    return this.#held.get(key)?.circuit
  }

  all(): readonly (readonly [key: string, circuit: FleetCircuit])[] {
    return Array.from(this.#held, ([key, { circuit }]) => [key, circuit] as const)
  }

  /**
   * Makes another one of it; where the store is not to be had it does not come about. Never rejects.
   * @param edit of the newest one there is; undefined leaves it as it is
   */
  change(key: string, edit: (circuit: FleetCircuit) => FleetCircuit | undefined): Promise<void> {
    return this.#inTurn(async (store) => {
      for (let tries = 0; tries < mostTries; tries++) {
        const { circuit, revision } = this.#held.get(key) ?? { circuit: nobodys, revision: 0 }
        const next = edit(circuit)
        if (!next || isDeepStrictEqual(next, circuit)) return
        if (this.#isDone(key, await store.put(name, key, next, { ifRevision: revision }), next)) return
      }
    })
  }

  /** If it is still as it is known here. */
  remove(key: string): Promise<void> {
    return this.#inTurn(async (store) => {
      const revision = this.#held.get(key)?.revision
      if (revision !== undefined) await store.remove(name, key, { ifRevision: revision })
    })
  }

  #isDone(key: string, written: Written, next: FleetCircuit): boolean {
    if (written.done) this.#take(key, { circuit: next, revision: written.revision })
    else if (written.found) this.#take(key, heldOf(written.found))
    else this.#held.delete(key)
    return written.done
  }

  #inTurn(work: (store: Store) => Promise<void>): Promise<void> {
    const turn = async () => {
      if (!this.#store || !this.isShared()) return
      try {
        await work(this.#store)
      } catch (thrown) {
        if (!(thrown instanceof StoreDown)) this.#onFailure(thrown)
      }
    }
    this.#last = this.#last.then(turn)
    return this.#last
  }

  /** What is not there any more is gone, unless it has only just been put there; it says nothing of how a circuit stands. */
  #takeAll({ byKey, revision }: Documents): void {
    for (const [key, held] of this.#held) if (!byKey.has(key) && held.revision <= revision) this.#held.delete(key)
    if (revision === 0) this.#held.clear()
    for (const [key, document] of byKey) this.#take(key, heldOf(document))
  }

  #take(key: string, held: Held): void {
    if ((this.#held.get(key)?.revision ?? 0) >= held.revision) return
    this.#held.set(key, held)
    this.#tell(key)
  }
}

function heldOf({ value, revision }: Document): Held {
  return { circuit: readCircuit(value), revision }
}
