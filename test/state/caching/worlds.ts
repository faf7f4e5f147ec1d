// A tier of the stock under test: the one in this process, and the one in a real Redis; and what lies in either.
import { onTestFinished } from 'vitest'
import type { Stored } from '../../../gateway/caching/stored.ts'
import type { Tag } from '../../../gateway/caching/tags.ts'
import { createMemoryStock } from '../../../gateway/state/cacheStock.ts'
import { type CacheStore, createCacheStore } from '../../../gateway/state/cacheStore.ts'
import { FarTier } from '../../../gateway/state/caching/farTier.ts'
import { clock, redisForTest } from '../store/stores.ts'

export interface TierUnderTest {
  /** All that lies under that key, the newest first. */
  get(key: string): Promise<readonly Stored[]>
  /** @param since `now` of before, when it was asked for then */
  put(key: string, stored: Stored, tags: readonly Tag[], since?: number): Promise<void>
  drop(key: string): Promise<void>
  purge(tags: readonly Tag[]): Promise<void>
  now(): number
}

/** Time enough for whatever is not about the time, also on a busy machine. */
export const longMs = 30_000

export const tiers: Readonly<Record<string, () => Promise<TierUnderTest>>> = {
  memory: async () => memoryTier(),
  redis: async () => redisTier(await openCache((await redisForTest()).url)),
}

function memoryTier(): TierUnderTest {
  const stock = createMemoryStock(64 * 1024 * 1024)
  return {
    get: async (key) => stock.get(key),
    async put(key, stored, tags, since = stock.now()) {
      stock.put(key, stored, { tags, since })
    },
    drop: async (key) => stock.drop(key),
    async purge(tags) {
      stock.purge(tags)
    },
    now: stock.now,
  }
}

export function redisTier(store: CacheStore): TierUnderTest {
  const tier = new FarTier(store, clock)
  return {
    async get(key) {
      const kept = await store.heads(key, longMs)
      const newestFirst = kept.toSorted((a, b) => b.receivedAtMs - a.receivedAtMs)
      const found = await Promise.all(newestFirst.map((head) => store.whole(head, longMs)))
      return found.filter((one) => one !== undefined)
    },
    put: (key, stored, tags, since = tier.now()) =>
      tier.put(key, stored, { tags, since: { near: 0, far: since }, keepMs: 60_000 }),
    drop: (key) => store.drop(key),
    async purge(tags) {
      await tier.purge(tags)
    },
    now: () => tier.now(),
  }
}

/** Resolves once it knows how far the purges of all are. */
export async function openCache(
  url: string,
  how: { readonly namespace?: string; readonly inPassingMs?: number } = {},
): Promise<CacheStore> {
  const onFailure = (thrown: unknown) => {
    throw thrown
  }
  const store = await createCacheStore(url, { clock, random: Math.random, onFailure, inPassingMs: longMs, ...how })
  if (!store) throw new Error('there is no store there')
  onTestFinished(() => store.close())
  if (store.now() === 0) await heard(store)
  return store
}

/** Resolves with what is purged next. */
export function heard(store: CacheStore): Promise<readonly Tag[] | 'all'> {
  return new Promise((resolve) => store.onPurged(resolve))
}
