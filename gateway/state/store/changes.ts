// Tells listeners all documents of a name when they have changed, however often and by whom they are said to have.
// The danger it guards against: a change that comes while an earlier one is being read, and is lost between the two.
import { type Documents, StoreDown } from './port.ts'

export interface Changes {
  /** @returns what ends it */
  onChange(name: string, listener: (documents: Documents) => void): () => void
  /** Something may have changed: reads, and tells those who do not know yet. Never rejects; what cannot be read is not told. */
  refresh(name: string): Promise<void>
  /** The names that somebody listens to. */
  names(): readonly string[]
  /** Whether a listener of that name has not been told that revision. */
  isNews(name: string, revision: number): boolean
}

interface Subscription {
  readonly listener: (documents: Documents) => void
  toldRevision?: number
}

interface Watched {
  readonly subscriptions: Set<Subscription>
  isReading: boolean
  isStale: boolean
}

export function createChanges(
  read: (name: string) => Promise<Documents>,
  onFailure: (thrown: unknown) => void,
): Changes {
  const watched = new Map<string, Watched>()

  function tell({ subscriptions }: Watched, documents: Documents): void {
    for (const subscription of [...subscriptions]) {
      if (subscription.toldRevision === documents.revision || !subscriptions.has(subscription)) continue
      subscription.toldRevision = documents.revision
      try {
        subscription.listener(documents)
      } catch (thrown) {
        onFailure(thrown)
      }
    }
  }

  async function readAndTell(name: string, one: Watched): Promise<void> {
    try {
      tell(one, await read(name))
    } catch (thrown) {
      // Whoever asks for a refresh asks again once the store is back.
      if (!(thrown instanceof StoreDown)) onFailure(thrown)
    }
  }

  async function refresh(name: string): Promise<void> {
    const one = watched.get(name)
    if (!one) return
    one.isStale = true
    if (one.isReading) return
    one.isReading = true
    while (one.isStale) {
      one.isStale = false
      await readAndTell(name, one)
    }
    one.isReading = false
  }

  return {
    onChange(name, listener) {
      const one = watched.get(name) ?? { subscriptions: new Set(), isReading: false, isStale: false }
      const subscription: Subscription = { listener }
      one.subscriptions.add(subscription)
      watched.set(name, one)
      void refresh(name)
      return () => {
        one.subscriptions.delete(subscription)
        if (one.subscriptions.size === 0 && watched.get(name) === one) watched.delete(name)
      }
    },
    refresh,
    names: () => [...watched.keys()],
    isNews: (name, revision) =>
      [...(watched.get(name)?.subscriptions ?? [])].some(({ toldRevision }) => toldRevision !== revision),
  }
}
