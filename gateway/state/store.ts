// What replicas share: the port, and the way to it. `memory:` serves one replica, `redis://…` many, by the same contract.
// The danger it guards against: a gateway that waits for its store, or falls with it.
import { createMemoryStore } from './store/memory.ts'
import type { Store, StoreOptions } from './store/port.ts'
import { readStoreUrl } from './store/url.ts'

export type * from './store/port.ts'
export { StoreDown } from './store/port.ts'
export { readStoreUrl } from './store/url.ts'

/**
 * Resolves once the store is up, or has failed for the first time (four seconds at most): it may be down, see `state()`.
 * @throws Error with a sentence for the operator when the URL is none of a store; it holds no secrets
 */
export async function createStore(url: string, options: StoreOptions): Promise<Store> {
  const address = readStoreUrl(url)
  if (address.kind === 'memory') return createMemoryStore(options)
  // Loaded when somebody needs it: the client costs 60 ms and 20 MB.
  const { createRedisStore } = await import('./store/redis/store.ts')
  return createRedisStore(address, options)
}
