// The way to the store in which replicas share their cache. With `memory:` there is none: each has its own stock alone.
// The danger it guards against: a client of Redis that costs memory where nobody needs it.
import type { CacheStore } from './store/cachePort.ts'
import type { StoreOptions } from './store/port.ts'
import { readStoreUrl } from './store/url.ts'

export type { CacheStore } from './store/cachePort.ts'

/**
 * Resolves once it is up, or has failed for the first time: it may be down, see `state()`. Undefined for `memory:`.
 * @throws Error with a sentence for the operator when the URL is none of a store; it holds no secrets
 */
export async function createCacheStore(
  url: string,
  options: Omit<StoreOptions, 'replicaId'>,
): Promise<CacheStore | undefined> {
  const address = readStoreUrl(url)
  if (address.kind === 'memory') return undefined
  const { createRedisCache } = await import('./store/redis/cacheStore.ts')
  return createRedisCache(address, options)
}
