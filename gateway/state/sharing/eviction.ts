// Whether the store forgets when its memory is full. A cache may; what replicas know of their moves must not be forgotten.
// The danger it guards against: a rollback that is gone because the Redis was full, and nobody had looked at its settings.
import type { Store } from '../store/port.ts'

/** Looks whenever the store comes up. @param tell is told the policy when it is an evicting one. @returns the same as a sentence */
export function watchEviction(store: Store, tell: (sentence: string) => void): () => readonly string[] {
  let hint: string | undefined
  async function look(): Promise<void> {
    // Who may not ask learns nothing, and is no worse off than before.
    const policy = await store.evictionPolicy().catch(() => undefined)
    if (policy === undefined) return
    const found = policy === 'noeviction' ? undefined : sentenceOf(policy)
    if (found !== undefined && found !== hint) tell(found)
    hint = found
  }
  store.onState(({ is }) => is === 'up' && void look())
  void look()
  return () => (hint === undefined ? [] : [hint])
}

function sentenceOf(policy: string): string {
  return `the Redis of store.state may forget rollbacks, pauses and the audit when its memory is full (maxmemory-policy ${policy}): set it to noeviction, and give the cache a Redis of its own (store.cache)`
}
